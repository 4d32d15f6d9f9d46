//! What a name means at a point of the file: ordinary names and tags, scope by scope.

use super::token::{Names, Symbol, TokenIndex};
use super::types::{RecordId, TypeId};

/// A variable, parameter or function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObjectId(pub u32);

/// Where a variable lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Storage {
    /// Outside all functions, or `extern`.
    Global,
    /// `static`, inside or outside a function.
    Static,
    /// In a function, automatic.
    Local,
    /// A parameter, and its index.
    Parameter(u32),
}

/// A variable, parameter or function.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its name.
    pub name: Symbol,
    /// Its type.
    pub ty: TypeId,
    /// Where it lives.
    pub storage: Storage,
    /// Its type is `const`.
    pub is_const: bool,
    /// Where its name stands.
    pub at: TokenIndex,
}

/// What an ordinary name means.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Entity {
    /// A typedef name.
    Typedef(TypeId),
    /// A variable or function.
    Object(ObjectId),
    /// An enumeration constant.
    Constant(i128, TypeId),
}

enum Undo {
    Ordinary(Symbol, Option<Entity>),
    Tag(Symbol, Option<RecordId>),
}

/// The scopes open at a point of the file. Look-up and leaving cost no more than what was declared.
pub struct Scopes {
    ordinary: Vec<Option<Entity>>,
    tags: Vec<Option<RecordId>>,
    /// Which scope depth declared the present meaning, for redeclarations: (ordinary, tag).
    depths: Vec<(u32, u32)>,
    log: Vec<(Undo, u32)>,
    marks: Vec<usize>,
    /// All objects of the file.
    pub objects: Vec<Object>,
}

impl Scopes {
    pub(super) fn new(names: &Names) -> Self {
        Scopes {
            ordinary: vec![None; names.len()],
            tags: vec![None; names.len()],
            depths: vec![(0, 0); names.len()],
            log: Vec::new(),
            marks: Vec::new(),
            objects: Vec::new(),
        }
    }

    /// Number of scopes open inside the file's.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.marks.len()
    }

    pub(super) fn enter(&mut self) {
        self.marks.push(self.log.len());
    }

    pub(super) fn leave(&mut self) {
        let Some(mark) = self.marks.pop() else { return };
        while self.log.len() > mark {
            let Some((undo, depth)) = self.log.pop() else { return };
            match undo {
                Undo::Ordinary(name, before) => {
                    self.ordinary[name.0 as usize] = before;
                    self.depths[name.0 as usize].0 = depth;
                }
                Undo::Tag(name, before) => {
                    self.tags[name.0 as usize] = before;
                    self.depths[name.0 as usize].1 = depth;
                }
            }
        }
    }

    /// Leaves scopes until `depth` are open.
    pub(super) fn leave_to(&mut self, depth: usize) {
        while self.marks.len() > depth {
            self.leave();
        }
    }

    /// What a name means here.
    #[must_use]
    pub fn find(&self, name: Symbol) -> Option<Entity> {
        self.ordinary.get(name.0 as usize).copied().flatten()
    }

    /// What a name means if it was declared in the innermost scope.
    #[must_use]
    pub fn find_here(&self, name: Symbol) -> Option<Entity> {
        self.find(name).filter(|_| self.depths[name.0 as usize].0 == self.marks.len() as u32)
    }

    pub(super) fn declare(&mut self, name: Symbol, entity: Entity) {
        let index = name.0 as usize;
        let before = self.ordinary[index].replace(entity);
        let depth = std::mem::replace(&mut self.depths[index].0, self.marks.len() as u32);
        if !self.marks.is_empty() {
            self.log.push((Undo::Ordinary(name, before), depth));
        }
    }

    /// Adds a variable or function and declares its name.
    pub(super) fn declare_object(&mut self, object: Object) -> ObjectId {
        let name = object.name;
        let id = self.add_object(object);
        self.declare(name, Entity::Object(id));
        id
    }

    pub(super) fn add_object(&mut self, object: Object) -> ObjectId {
        self.objects.push(object);
        ObjectId(self.objects.len() as u32 - 1)
    }

    /// A variable or function.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> &Object {
        &self.objects[id.0 as usize]
    }

    /// What a tag means here.
    #[must_use]
    pub fn find_tag(&self, tag: Symbol) -> Option<RecordId> {
        self.tags.get(tag.0 as usize).copied().flatten()
    }

    /// What a tag means if it was declared in the innermost scope.
    #[must_use]
    pub fn find_tag_here(&self, tag: Symbol) -> Option<RecordId> {
        self.find_tag(tag).filter(|_| self.depths[tag.0 as usize].1 == self.marks.len() as u32)
    }

    pub(super) fn declare_tag(&mut self, tag: Symbol, record: RecordId) {
        let index = tag.0 as usize;
        let before = self.tags[index].replace(record);
        let depth = std::mem::replace(&mut self.depths[index].1, self.marks.len() as u32);
        if !self.marks.is_empty() {
            self.log.push((Undo::Tag(tag, before), depth));
        }
    }
}
