//! The Docker image, built and run by a real engine.

mod buildah;
mod example;
mod image;
mod rebuild;

use std::fs;

use anyhow::{Context as _, Result, ensure};

use super::engine::Engine;
use super::readme;
use super::report::Report;
use super::{Context, mounts};
use image::{Image, UNKNOWN_USER};

/// What the images may take above the base image, in MB.
const TOOLCHAIN_BAR: f64 = 350.0;
const RUNTIME_BAR: f64 = 15.0;

pub(super) fn check(context: &Context, report: &mut Report) -> Result<()> {
    let Some(engine) = report.check("docker: a container engine", || Engine::start(context)) else {
        return Ok(());
    };
    let base = report.check("docker: the base image", || engine.base("bookworm"));
    // Its own removal would enter what a builder may have left mounted.
    let place = tempfile::Builder::new().prefix("image").tempdir_in(&context.work)?.keep();
    let image = Image::new(&engine, &place)?;
    // What the README says builds the image that all others look at.
    let built = report.check("docker: the README's commands", || readme_commands(&image));
    if let (Some(base), Some(_)) = (base, built) {
        report.check("docker: the example", || {
            example::judge(&image.docker(&["run", "--rm", "liballocs"])?, &example::expected()?)
        });
        if !context.smoke {
            check_use(&image, report);
            check_contents(&image, &base, report);
            check_stages(&image, &base, report);
            check_failures(&image, report);
            report.check("docker: the same products from other builds", || rebuild::compare_builds(&image));
        }
    }
    image.remove()?;
    report.check("docker: the engine stops", || engine.stop());
    if context.keep {
        eprintln!("kept: {}", place.display());
        return Ok(());
    }
    mounts::remove(&place)
}

/// As a user who has a checkout and a hello.c types them.
fn readme_commands(image: &Image) -> Result<&'static str> {
    image.script(&readme::block("With Docker")?)?;
    // It is not in the checkout that the other builds, and the cache of this one, start from.
    fs::remove_file(image.tree().join("hello")).context("they make no hello")?;
    Ok("the image is built, and builds and runs a program")
}

/// The image as others than its maker run it.
fn check_use(image: &Image, report: &mut Report) {
    report.check("docker: a program in a mounted directory, by an unknown user", || {
        let mine = image.project("mine")?;
        let run = ["run", "--rm", "--user", UNKNOWN_USER, "-v", &mine.mount, "liballocs"];
        image.docker(&[&run[..], &["allocscc", "-o", "hello", "hello.c"]].concat())?;
        let said = image.docker(&[&run[..], &["allocs", "run", "./hello"]].concat())?;
        ensure!(said.contains("hello from C, 40 bytes of __ARR0_int$32"), "it says `{said}`");
        let owner = mine.owner("hello")?;
        ensure!(owner == UNKNOWN_USER, "hello belongs to {owner}, not to {UNKNOWN_USER}");
        Ok(format!("it belongs to {owner}"))
    });
    report.check("docker: the example, read-only and by an unknown user", || {
        let run = ["run", "--rm", "--read-only", "--tmpfs", "/tmp", "--user", UNKNOWN_USER, "liballocs"];
        example::judge(&image.docker(&run)?, &example::expected()?)
    });
    report.check("docker: a shell in a terminal", || {
        let commands = "sed '/^\\/\\/@/d' /usr/local/share/doc/liballocs/examples/readme.c > test.c\n\
                        allocscc -o test test.c && allocs run ./test\nexit\n";
        let said = image.in_terminal("docker run -it --rm liballocs bash", commands)?;
        example::judge(&said, &example::expected()?)
    });
    report.check("docker: gdb", || {
        let script = "allocscc -g -o hello hello.c && gdb -batch -ex 'break malloc' -ex run -ex up -ex 'print 6*7' hello";
        let mine = image.project("debugged")?;
        let user = ["run", "--rm", "--user", UNKNOWN_USER, "-v", &mine.mount];
        let said = image.docker(&[&user[..], &["liballocs", "sh", "-c", script]].concat())?;
        ensure!(said.contains("main () at hello.c") && said.contains("$1 = 42"), "gdb says `{said}`");
        Ok("it starts a program and stops in it")
    });
    report.check("docker: the compiler's own sanitizer", || {
        let script = "gcc -fsanitize=address -g -o hello hello.c -I/usr/local/include && ./hello";
        let mine = image.project("sanitized")?;
        let user = ["run", "--rm", "--user", UNKNOWN_USER, "-v", &mine.mount];
        image.docker(&[&user[..], &["liballocs", "sh", "-c", script]].concat())?;
        Ok("a program built with it runs")
    });
}

/// What the image is and says of itself.
fn check_contents(image: &Image, base: &str, report: &mut Report) {
    report.check("docker: the default user", || {
        let user = image.docker(&["run", "--rm", "liballocs", "id", "-u"])?;
        ensure!(user.trim() != "0", "it is root");
        Ok(format!("user {}", user.trim()))
    });
    report.check("docker: the default seccomp profile", || {
        let status = image.docker(&["run", "--rm", "liballocs", "grep", "Seccomp:", "/proc/self/status"])?;
        ensure!(status.trim().ends_with('2'), "no filter is in force: {status}");
        Ok("a filter is in force")
    });
    if fs::read_to_string("/sys/module/apparmor/parameters/enabled").is_ok_and(|text| text.starts_with('Y')) {
        report.check("docker: the default AppArmor profile", || {
            let profile = image.docker(&["run", "--rm", "liballocs", "cat", "/proc/self/attr/current"])?;
            ensure!(profile.starts_with("docker-default"), "the profile is {profile}");
            Ok(profile.trim().to_owned())
        });
    } else {
        report.cannot("docker: the image under Docker's AppArmor profile, for this kernel has no AppArmor");
    }
    report.check("docker: the labels", || image::check_labels(image));
    report.check("docker: the size of the toolchain", || image.above(base, "liballocs", TOOLCHAIN_BAR));
}

/// The stages other than the default one.
fn check_stages(image: &Image, base: &str, report: &mut Report) {
    let build = |target: &str, name: &str| image.docker(&["build", "--target", target, "-t", name, "."]);
    report.check("docker: the runtime stage", || {
        build("runtime", "liballocs-runtime")?;
        let mine = image.project("shipped")?;
        let compile = ["allocscc", "-o", "hello", "hello.c"];
        let user = ["run", "--rm", "--user", UNKNOWN_USER, "-v", &mine.mount];
        image.docker(&[&user[..], &["liballocs"], &compile].concat())?;
        let said = image.docker(&[&user[..], &["liballocs-runtime", "allocs", "run", "./hello"]].concat())?;
        ensure!(said.contains("hello from C, 40 bytes of __ARR0_int$32"), "it says `{said}`");
        Ok("runs what the toolchain built")
    });
    report.check("docker: the size of the runtime", || image.above(base, "liballocs-runtime", RUNTIME_BAR));
    report.check("docker: a corpus program in the corpus stage", || {
        build("corpus", "liballocs-corpus")?;
        let corpus = ["cargo", "xtask", "corpus", "--filter", "^bzip2$"];
        image.docker(&[&["run", "--rm", "liballocs-corpus"], &corpus[..]].concat())?;
        Ok("bzip2, equal to its snapshot")
    });
}

/// Negative controls: what must not work does not, and is noticed.
fn check_failures(image: &Image, report: &mut Report) {
    report.must_fail("docker: a Dockerfile that copies what is not there", "no-products", || {
        let path = image.tree().join("Dockerfile");
        let text = fs::read_to_string(&path)?.replace("/products/usr/local/", "/no-products/");
        fs::write(image.tree().join("Dockerfile.broken"), text)?;
        image.docker(&["build", "-f", "Dockerfile.broken", "."])
    });
    report.must_fail("docker: an expectation of 169 bytes", "size 169", || {
        let expected = example::expected()?.replace("size 168", "size 169");
        example::judge(&image.docker(&["run", "--rm", "liballocs"])?, &expected)
    });
    report.must_fail("docker: read-only without a /tmp", "Read-only file system", || {
        image.docker(&["run", "--rm", "--read-only", "liballocs"])
    });
}
