//! The same Dockerfile, built by buildah, which needs no daemon.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use duct::{Expression, cmd};

use super::image::{Image, LIST_PRODUCTS, lines_of_products};
use crate::package_test::{base, engine, mounts, tools};

/// The products in the image that it builds.
pub(super) fn products(image: &Image) -> Result<Vec<String>> {
    tools::need(&[("buildah", "buildah")])?;
    let store = Store { place: image.place().join("buildah") };
    let products = store.products(&image.tree());
    store.remove()?;
    products
}

/// Buildah with a store of its own.
struct Store {
    place: PathBuf,
}

impl Store {
    /// Builds the image and lists the products in it.
    fn products(&self, tree: &Path) -> Result<Vec<String>> {
        self.make_base()?;
        let bud = ["bud", "--isolation", "chroot", "--tag", "liballocs"];
        self.buildah(bud.map(OsStr::new).into_iter().chain([tree.as_os_str()]))?;
        let container = self.buildah(["from", "--pull-never", "localhost/liballocs"])?;
        let run = ["run", "--isolation", "chroot", container.trim(), "--", "sh", "-c", LIST_PRODUCTS];
        lines_of_products(&self.buildah(run)?)
    }

    fn make_base(&self) -> Result<()> {
        let archive = base::archive("bookworm")?;
        let (dir, name) = (archive.parent(), archive.file_name());
        let (dir, name) = (dir.context("it is in a directory")?, name.context("it has a name")?);
        fs::create_dir_all(&self.place)?;
        let recipe = self.place.join("Dockerfile");
        fs::write(&recipe, format!("FROM scratch\nADD {} /\n", name.display()))?;
        let bud = ["bud", "--tag", "docker.io/library/debian:bookworm-slim", "--file"].map(OsStr::new);
        self.buildah(bud.into_iter().chain([recipe.as_os_str(), dir.as_os_str()])).map(drop)
    }

    fn buildah<T: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = T>) -> Result<String> {
        engine::said(&self.command(arguments))
    }

    fn command<T: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = T>) -> Expression {
        let (store, run) = (self.place.join("store"), self.place.join("run"));
        let mut words = vec![OsStr::new("buildah"), "--root".as_ref(), store.as_os_str()];
        words.extend(["--runroot".as_ref(), run.as_os_str()]);
        if !tools::is_root() {
            words.insert(0, "sudo".as_ref());
        }
        let mut words: Vec<_> = words.into_iter().map(OsStr::to_owned).collect();
        words.extend(arguments.into_iter().map(|word| word.as_ref().to_owned()));
        cmd(words.remove(0), words)
    }

    /// Takes away what was built, and makes sure that nothing is left mounted.
    fn remove(&self) -> Result<()> {
        self.buildah(["rm", "--all"])?;
        mounts::remove(&self.place).context("buildah left something behind")
    }
}
