//! `patron up` in a temporary folder, on free ports, ended by id.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub(crate) struct Services {
    child: Child,
    pub(crate) acquisition: String,
    pub(crate) retention: String,
}

/// The binary under test.
pub(crate) fn patron() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
    command.env("PATRON_LOG", "warn");
    command
}

impl Services {
    /// Starts both services on what is in this folder, and waits until they say where they listen.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_saying(folder, "warn", Stdio::null())
    }

    /// The same, with what is logged at this level going there.
    pub(crate) fn start_saying(folder: &Path, level: &str, log: Stdio) -> Self {
        let mut child = patron()
            .args(["--log", level])
            .args(["up", "--acquisition-address", "127.0.0.1:0"])
            .args(["--retention-address", "127.0.0.1:0", "--data"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |service: &str| {
            let line = lines.next().expect("it says where it listens").unwrap();
            let address = line.strip_prefix(&format!("{service} listens on "));
            format!(
                "http://{}",
                address.expect("the services listen in this order")
            )
        };
        let acquisition = address("acquisition");
        let retention = address("retention");
        Self {
            child,
            acquisition,
            retention,
        }
    }

    /// Runs a command against them.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// A command against them, to be run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = patron();
        command.args(arguments);
        command.env("PATRON_ACQUISITION", &self.acquisition);
        command.env("PATRON_RETENTION", &self.retention);
        command
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // It may have ended already; nothing started here must outlive its test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command printed, if it went well.
#[track_caller]
pub(crate) fn printed(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    stdout
}

/// A file with this text.
pub(crate) fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

/// Imports a file, and what was printed.
pub(crate) fn import(services: &Services, what: &str, file: &Path) -> String {
    printed(&services.run(&["import", what, file.to_str().unwrap()]))
}
