//! The units of a file's debug information, split ones included, and what a reference between DIEs refers to.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gimli::{
    AttributeValue, DebugTypeSignature, DebuggingInformationEntry, DwarfFileType, DwarfSections, DwoId,
    EndianSlice, LittleEndian, UnitOffset, UnitRef, UnitType,
};
use rustc_hash::FxHashMap;

use super::error::{Error, Result};
use super::linked::{LinkedFile, split_sections};

/// Bytes of a debug section.
pub type Slice<'a> = EndianSlice<'a, LittleEndian>;
/// A DIE.
pub type Die<'a> = DebuggingInformationEntry<Slice<'a>>;
/// The value of an attribute.
pub type Value<'a> = AttributeValue<Slice<'a>>;

/// Index of a unit in [`Units`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UnitIndex(pub u32);

/// Which DIE of which unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DieRef {
    /// The unit.
    pub unit: UnitIndex,
    /// Offset from the start of the unit.
    pub offset: UnitOffset,
}

/// The debug information of a linked file and of the `.dwo` files that it names.
pub struct DebugData<'data> {
    file: LinkedFile<'data>,
    splits: Vec<(DwoId, DwarfSections<Vec<u8>>)>,
    warnings: Vec<String>,
}

impl<'data> DebugData<'data> {
    /// Reads the file's headers and the `.dwo` files that its skeleton units name. One that cannot be read is a warning.
    pub fn load(bytes: &'data [u8]) -> Result<Self> {
        let mut data =
            DebugData { file: LinkedFile::parse(bytes)?, splits: Vec::new(), warnings: Vec::new() };
        for (id, path) in data.split_files()? {
            match std::fs::read(&path)
                .map_err(|e| e.to_string())
                .and_then(|bytes| split_sections(&bytes).map_err(|e| e.to_string()))
            {
                Ok(sections) => data.splits.push((id, sections)),
                Err(e) => data.warnings.push(format!(
                    "{}: {e}; the types and variables of its unit are missing",
                    path.display()
                )),
            }
        }
        Ok(data)
    }

    /// The linked file.
    #[must_use]
    pub fn file(&self) -> &LinkedFile<'data> {
        &self.file
    }

    fn split_files(&self) -> Result<Vec<(DwoId, PathBuf)>> {
        let dwarf = self.file.sections().borrow(|s| Slice::new(s, LittleEndian));
        let mut found = Vec::new();
        let mut headers = dwarf.units();
        while let Some(header) = headers.next().map_err(Error::within(".debug_info"))? {
            let Ok(unit) = dwarf.unit(header) else { continue };
            let (Some(id), Ok(Some(name))) = (unit.dwo_id, unit.dwo_name()) else { continue };
            let Ok(name) = dwarf.attr_string(&unit, name) else { continue };
            let directory = unit.comp_dir.map(|d| text(d).into_owned()).unwrap_or_default();
            found.push((id, Path::new(&directory).join(&*text(name))));
        }
        Ok(found)
    }
}

/// A unit, and where its names come from.
pub struct Unit<'a> {
    dwarf: Arc<gimli::Dwarf<Slice<'a>>>,
    unit: gimli::Unit<Slice<'a>>,
    files: Vec<Option<Arc<str>>>,
    name: Cow<'a, str>,
    directory: Cow<'a, str>,
    replaced: bool,
    language: Option<gimli::DwLang>,
}

impl<'a> Unit<'a> {
    /// The unit with its sections.
    #[must_use]
    pub fn get(&self) -> UnitRef<'_, Slice<'a>> {
        self.unit.unit_ref(&self.dwarf)
    }

    /// `DW_AT_name`: the source as it was given to the compiler.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `DW_AT_comp_dir`.
    #[must_use]
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// A file of the line table, directory in front unless that is the directory of the compilation.
    #[must_use]
    pub fn file(&self, index: u64) -> Option<&Arc<str>> {
        self.files.get(usize::try_from(index).ok()?)?.as_ref()
    }

    /// Its source is in C++.
    #[must_use]
    pub fn is_cplusplus(&self) -> bool {
        self.language.is_some_and(is_cplusplus)
    }

    /// Types of the same name in different namespaces are different types.
    #[must_use]
    pub fn has_namespaces(&self) -> bool {
        self.is_cplusplus() || self.language == Some(gimli::DW_LANG_Rust)
    }

    /// The lower bound of arrays that say none: 0 but in Fortran.
    #[must_use]
    pub fn first_index(&self) -> i64 {
        let is_fortran = matches!(
            self.language,
            Some(
                gimli::DW_LANG_Fortran77
                    | gimli::DW_LANG_Fortran90
                    | gimli::DW_LANG_Fortran95
                    | gimli::DW_LANG_Fortran03
                    | gimli::DW_LANG_Fortran08
            )
        );
        i64::from(is_fortran)
    }

    /// It is a skeleton whose DIEs are in a `.dwo` file that is among the units; only its line table counts.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        self.replaced
    }

    /// Its line table has rows that no other unit's has: it is neither a type unit nor one of a `.dwo` file.
    #[must_use]
    pub fn has_own_rows(&self) -> bool {
        let is_type = matches!(self.unit.header.type_(), UnitType::Type { .. } | UnitType::SplitType { .. });
        !is_type && self.dwarf.file_type == DwarfFileType::Main
    }

    /// Its DIEs are in the file's own `.debug_info`.
    pub(crate) fn is_in_file(&self) -> bool {
        self.unit.header.debug_info_offset().is_some() && self.dwarf.file_type == DwarfFileType::Main
    }

    /// Where a DIE stands in its section, for messages.
    pub(crate) fn error_at(&self, offset: UnitOffset) -> impl FnOnce(gimli::Error) -> Error {
        Error::die(self.unit.section(), offset.to_unit_section_offset(&self.unit.header))
    }

    /// The text of a string attribute.
    #[must_use]
    pub fn string(&self, value: Value<'a>) -> Option<Cow<'a, str>> {
        self.get().attr_string(value).ok().map(text)
    }

    /// The value of an attribute that is an unsigned number.
    #[must_use]
    pub fn number(die: &Die<'a>, attribute: gimli::DwAt) -> Option<u64> {
        die.attr_value(attribute)?.udata_value()
    }

    /// The file that `DW_AT_decl_file` or `DW_AT_call_file` of a DIE names.
    #[must_use]
    pub fn file_of(&self, die: &Die<'a>, attribute: gimli::DwAt) -> Option<Arc<str>> {
        match die.attr_value(attribute)? {
            AttributeValue::FileIndex(index) => self.file(index).cloned(),
            other => self.file(other.udata_value()?).cloned(),
        }
    }

    /// `DW_AT_name` of a DIE, unless empty.
    #[must_use]
    pub fn name_of(&self, die: &Die<'a>) -> Option<Cow<'a, str>> {
        die.attr_value(gimli::DW_AT_name).and_then(|v| self.string(v)).filter(|n| !n.is_empty())
    }
}

/// All units of a file: those of `.debug_info`, of `.debug_types`, and of the `.dwo` files.
pub struct Units<'a> {
    file: &'a LinkedFile<'a>,
    units: Vec<Unit<'a>>,
    signatures: FxHashMap<u64, DieRef>,
    /// First unit and start offsets of the units that [`Value::DebugInfoRef`] can refer to.
    info_starts: Vec<(usize, UnitIndex)>,
    warnings: Vec<String>,
}

impl<'a> Units<'a> {
    /// Reads the unit headers, root DIEs and file tables. A unit that is broken there is left out with a warning.
    pub fn new(data: &'a DebugData<'a>) -> Result<Self> {
        let mut units = Units {
            file: &data.file,
            units: Vec::new(),
            signatures: FxHashMap::default(),
            info_starts: Vec::new(),
            warnings: data.warnings.clone(),
        };
        let main = Arc::new(data.file.sections().borrow(|s| Slice::new(s, LittleEndian)));
        units.read(&main, None)?;
        for (id, sections) in &data.splits {
            let mut split = sections.borrow(|s| Slice::new(s, LittleEndian));
            split.file_type = DwarfFileType::Dwo;
            split.make_dwo(&main);
            let Some(skeleton) = units.units.iter().position(|u| u.unit.dwo_id == Some(*id)) else {
                continue;
            };
            units.read(&Arc::new(split), Some(skeleton))?;
        }
        Ok(units)
    }

    fn read(&mut self, dwarf: &Arc<gimli::Dwarf<Slice<'a>>>, skeleton: Option<usize>) -> Result<()> {
        let mut headers = dwarf.units();
        while let Some(header) = headers.next().map_err(Error::within(".debug_info"))? {
            let start = header.offset().0;
            match self.add(dwarf, header, skeleton) {
                Ok(index) if skeleton.is_none() => self.info_starts.push((start, index)),
                Ok(_) => {}
                Err(e) => self.warnings.push(e.to_string()),
            }
        }
        let mut headers = dwarf.type_units();
        while let Some(header) = headers.next().map_err(Error::within(".debug_types"))? {
            if let Err(e) = self.add(dwarf, header, skeleton) {
                self.warnings.push(e.to_string());
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        dwarf: &Arc<gimli::Dwarf<Slice<'a>>>,
        header: gimli::UnitHeader<Slice<'a>>,
        skeleton: Option<usize>,
    ) -> Result<UnitIndex> {
        let at = header.offset().0 as u64;
        let section = header.section();
        let kind = header.type_();
        let mut unit = dwarf.unit(header).map_err(Error::at(section.name(), at))?;
        let index = UnitIndex(self.units.len() as u32);
        if let UnitType::Type { type_signature: DebugTypeSignature(signature), type_offset }
        | UnitType::SplitType { type_signature: DebugTypeSignature(signature), type_offset } = kind
        {
            self.signatures.entry(signature).or_insert(DieRef { unit: index, offset: type_offset });
        }
        let (mut name, mut directory) = (string(unit.name), string(unit.comp_dir));
        let mut files = file_table(&unit, dwarf);
        if let Some(skeleton) = skeleton {
            let skeleton = &mut self.units[skeleton];
            unit.copy_relocated_attributes(&skeleton.unit);
            skeleton.replaced = true;
            if name.is_empty() {
                name = skeleton.name.clone();
            }
            if directory.is_empty() {
                directory = skeleton.directory.clone();
            }
            // Before DWARF 5 the file numbers of a .dwo file are those of the skeleton's line table.
            if files.is_empty() {
                files = skeleton.files.clone();
            }
        }
        let language = language(&unit);
        self.units.push(Unit {
            dwarf: dwarf.clone(),
            unit,
            files,
            name,
            directory,
            replaced: false,
            language,
        });
        Ok(index)
    }

    /// A unit.
    #[must_use]
    pub fn get(&self, index: UnitIndex) -> &Unit<'a> {
        &self.units[index.0 as usize]
    }

    /// All units.
    pub fn iter(&self) -> impl Iterator<Item = (UnitIndex, &Unit<'a>)> {
        self.units.iter().enumerate().map(|(i, u)| (UnitIndex(i as u32), u))
    }

    /// The linked file.
    #[must_use]
    pub fn file(&self) -> &'a LinkedFile<'a> {
        self.file
    }

    /// What could not be read and was left out.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The DIE that a reference in a unit refers to. `None` for one that leads out of the file.
    #[must_use]
    pub fn resolve(&self, from: UnitIndex, value: &Value<'_>) -> Option<DieRef> {
        match *value {
            AttributeValue::UnitRef(offset) => Some(DieRef { unit: from, offset }),
            AttributeValue::DebugInfoRef(target) => {
                let after = self.info_starts.partition_point(|&(start, _)| start <= target.0);
                let (_, unit) = *self.info_starts.get(after.checked_sub(1)?)?;
                let offset = target.to_unit_offset(&self.get(unit).unit.header)?;
                Some(DieRef { unit, offset })
            }
            AttributeValue::DebugTypesRef(DebugTypeSignature(signature)) => {
                self.signatures.get(&signature).copied()
            }
            _ => None,
        }
    }

    /// The DIE that an attribute of a DIE refers to.
    #[must_use]
    pub fn follow(&self, from: UnitIndex, die: &Die<'_>, attribute: gimli::DwAt) -> Option<DieRef> {
        self.resolve(from, &die.attr_value(attribute)?)
    }

    /// The offset of a DIE in its section.
    pub(crate) fn offset_of(&self, at: DieRef) -> usize {
        at.offset.to_unit_section_offset(&self.get(at.unit).unit.header).0
    }

    /// Reads one DIE.
    pub fn die(&self, at: DieRef) -> Result<Die<'a>> {
        let unit = self.get(at.unit);
        unit.unit.entry(at.offset).map_err(unit.error_at(at.offset))
    }
}

/// The language that the root DIE names.
fn language(unit: &gimli::Unit<Slice<'_>>) -> Option<gimli::DwLang> {
    match unit.entry(unit.header.root_offset()).ok()?.attr_value(gimli::DW_AT_language) {
        Some(AttributeValue::Language(language)) => Some(language),
        _ => None,
    }
}

fn is_cplusplus(language: gimli::DwLang) -> bool {
    matches!(
        language,
        gimli::DW_LANG_C_plus_plus
            | gimli::DW_LANG_C_plus_plus_03
            | gimli::DW_LANG_C_plus_plus_11
            | gimli::DW_LANG_C_plus_plus_14
            | gimli::DW_LANG_C_plus_plus_17
            | gimli::DW_LANG_C_plus_plus_20
    )
}

/// Text of a debug section. What is not UTF-8 is replaced: the names of a C program may have any bytes.
#[must_use]
pub fn text(bytes: Slice<'_>) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.slice())
}

fn string(bytes: Option<Slice<'_>>) -> Cow<'_, str> {
    bytes.map(text).unwrap_or_default()
}

/// The paths of the file table by index.
fn file_table<'a>(unit: &gimli::Unit<Slice<'a>>, dwarf: &gimli::Dwarf<Slice<'a>>) -> Vec<Option<Arc<str>>> {
    let Some(program) = &unit.line_program else { return Vec::new() };
    let header = program.header();
    let string = |value| dwarf.attr_string(unit, value).ok().map(text);
    let path = |index: u64| -> Option<Arc<str>> {
        let entry = header.file(index)?;
        let name = string(entry.path_name())?;
        let directory = match entry.directory_index() {
            0 => None,
            _ => entry.directory(header).and_then(string),
        };
        Some(match directory {
            Some(directory) if !name.starts_with('/') => format!("{directory}/{name}").into(),
            _ => name.into(),
        })
    };
    (0..=header.file_names().len() as u64).map(path).collect()
}
