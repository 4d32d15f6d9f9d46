//! A copy of the checkout in which images are built, and questions about them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use duct::{Expression, cmd};

use crate::cargo;
use crate::package_test::engine::Engine;
use crate::package_test::{engine, tools};

/// A user whom no image knows.
pub(super) const UNKNOWN_USER: &str = "4321:4321";

const NAMES: [&str; 4] = ["liballocs", "liballocs-again", "liballocs-runtime", "liballocs-corpus"];

const HELLO: &str = r#"#include <allocs.h>
#include <stdio.h>
int main(void)
{
  int *numbers = malloc(10 * sizeof(int));
  struct uniqtype *type = alloc_get_type(numbers);
  printf("hello from C, %u bytes of %s\n", (unsigned) alloc_get_size(numbers), type ? UNIQTYPE_NAME(type) : "?");
  free(numbers);
  return 0;
}
"#;

/// Lists the products in an image, each line a checksum and a name.
pub(super) const LIST_PRODUCTS: &str = "find /usr/local -xtype f -exec sha256sum {} + | sort -k 2";

/// The engine, a checkout, and the images that are built from it.
pub(super) struct Image<'engine> {
    engine: &'engine Engine,
    place: PathBuf,
    /// Images that go again, for nobody had them before.
    new: Vec<&'static str>,
}

/// A directory of a user's.
pub(super) struct Project {
    dir: PathBuf,
    /// For `docker run -v`.
    pub(super) mount: String,
}

impl<'engine> Image<'engine> {
    pub(super) fn new(engine: &'engine Engine, place: &Path) -> Result<Self> {
        let is_new = |name: &&str| engine::said(&engine.docker(["image", "inspect", *name])).is_err();
        let new = NAMES.into_iter().filter(is_new).collect();
        let image = Self { engine, place: place.to_owned(), new };
        copy_checkout(&image.tree())?;
        fs::write(image.tree().join("hello.c"), HELLO)?;
        Ok(image)
    }

    /// A directory for what the checks need.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// The copy of the checkout.
    pub(super) fn tree(&self) -> PathBuf {
        self.place.join("tree")
    }

    /// What a docker command in the copy of the checkout prints.
    pub(super) fn docker(&self, words: &[&str]) -> Result<String> {
        engine::said(&self.engine.docker(words).dir(self.tree()))
    }

    /// Runs commands as a user's shell does.
    pub(super) fn script(&self, commands: &str) -> Result<String> {
        engine::said(&self.here(cmd!("sh", "-euxc", commands)))
    }

    /// What a command prints in a terminal, in which a user types.
    pub(super) fn in_terminal(&self, command: &str, typed: &str) -> Result<String> {
        engine::said(&self.here(cmd!("script", "-qec", command, "/dev/null")).stdin_bytes(typed))
    }

    fn here(&self, command: Expression) -> Expression {
        command.dir(self.tree()).env("PATH", self.engine.path())
    }

    /// A directory with a hello.c, of the unknown user.
    pub(super) fn project(&self, name: &str) -> Result<Project> {
        let dir = self.place.join(name);
        fs::create_dir(&dir)?;
        fs::write(dir.join("hello.c"), HELLO)?;
        let path = dir.to_str().context("the directory's name is not UTF-8")?;
        tools::as_root(&["chown", "-R", UNKNOWN_USER, path])?;
        Ok(Project { mount: format!("{path}:/src"), dir })
    }

    /// The size of an image above that of its base, if it is within the bar; both in MB.
    pub(super) fn above(&self, base: &str, name: &str, bar: f64) -> Result<String> {
        let size = |name: &str| -> Result<f64> {
            let bytes = self.docker(&["image", "inspect", "--format", "{{.Size}}", name])?;
            Ok(bytes.trim().parse::<f64>()? / 1e6)
        };
        let (base, whole) = (size(base)?, size(name)?);
        let above = format!("{:.1} MB above the base image's {base:.0} MB", whole - base);
        ensure!(whole - base <= bar, "{above}, and may have {bar} MB");
        Ok(format!("{above}, of {bar} MB"))
    }

    /// The products in an image.
    pub(super) fn products(&self, name: &str) -> Result<Vec<String>> {
        lines_of_products(&self.docker(&["run", "--rm", name, "sh", "-c", LIST_PRODUCTS])?)
    }

    /// Takes away what is not to stay.
    pub(super) fn remove(&self) -> Result<()> {
        for name in self.new.iter().filter(|_| !self.engine.is_own()) {
            // One that was not built is no loss.
            let _ = self.docker(&["image", "rm", name]);
        }
        tools::as_root(&["chown", "-R", &self.owner()?, &self.place.to_string_lossy()])
    }

    fn owner(&self) -> Result<String> {
        let data = fs::metadata(&self.place)?;
        Ok(format!("{}:{}", data.uid(), data.gid()))
    }
}

impl Project {
    pub(super) fn owner(&self, file: &str) -> Result<String> {
        let data = fs::metadata(self.dir.join(file)).with_context(|| format!("no {file} was made"))?;
        Ok(format!("{}:{}", data.uid(), data.gid()))
    }
}

/// Takes a list apart that `LIST_PRODUCTS` printed.
pub(super) fn lines_of_products(list: &str) -> Result<Vec<String>> {
    ensure!(list.contains("/usr/local/bin/allocscc"), "the list of products is `{list}`");
    Ok(list.lines().map(str::to_owned).collect())
}

/// The labels say what the checkout says.
pub(super) fn check_labels(image: &Image) -> Result<String> {
    let format = "{{range $name, $value := .Config.Labels}}{{println $name $value}}{{end}}";
    let labels = image.docker(&["image", "inspect", "--format", format, "liballocs"])?;
    for label in [
        concat!("version ", env!("CARGO_PKG_VERSION"), "\n"),
        "licenses MIT OR Apache-2.0\n",
        "title liballocs\n",
        "description ",
        "source ",
    ] {
        let label = format!("org.opencontainers.image.{label}");
        ensure!(labels.contains(&label), "`{label}` is not among the labels:\n{labels}");
    }
    Ok(format!("{} of them, of version {}", labels.trim().lines().count(), env!("CARGO_PKG_VERSION")))
}

/// The files as they are now, committed or not, and nothing that git ignores.
fn copy_checkout(to: &Path) -> Result<()> {
    let from = cargo::root()?;
    let files = cmd!("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").dir(&from);
    let files = files.read().context("this is no git checkout")?;
    for file in files.split('\0').filter(|file| from.join(file).is_file()) {
        let copy = to.join(file);
        fs::create_dir_all(copy.parent().context("a file is in a directory")?)?;
        fs::copy(from.join(file), copy).with_context(|| format!("cannot copy {file}"))?;
    }
    Ok(())
}
