//! The broker's disk is full.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use testkit::{Cluster, Pair, judge};

use crate::alone::{run, turn};
/// A small file system in memory over a folder; taken away again when this is dropped.
struct Small(PathBuf);

impl Small {
    /// Nothing where this user may not mount.
    fn over(folder: &Path) -> Option<Self> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"])
            .arg(folder)
            .output();
        let mounted = mount.is_ok_and(|output| output.status.success());
        mounted.then(|| Self(folder.to_owned()))
    }

    /// Writes until there is no room for another byte.
    fn fill(&self) -> PathBuf {
        let filler = self.0.join("filler");
        for kib in [1_024, 64, 4] {
            let mut all = fs::read(&filler).unwrap_or_default();
            loop {
                all.resize(all.len() + kib * 1_024, 0);
                if fs::write(&filler, &all).is_err() {
                    break;
                }
            }
        }
        filler
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // There is nobody to tell; a lazy one succeeds even while the broker is there.
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .args(["-a", "--sparse=always"])
        .arg(from.join("."))
        .arg(to)
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_full_disk_of_the_broker_stops_commands_and_loses_none() {
    let Some(_turn) = turn() else { return };
    let cluster = Cluster::start(1).unwrap();
    cluster.kill(1).unwrap();
    let (data, kept) = (cluster.data(1), tempfile::tempdir().unwrap());
    copy(&data, kept.path());
    let Some(disk) = Small::over(&data) else {
        println!("no small disk: this user may not mount one");
        return;
    };
    copy(kept.path(), &data);
    cluster.restart(1).unwrap();
    run(async {
        let binary = env!("CARGO_BIN_EXE_patron").as_ref();
        let pair = Pair::on(cluster, binary, 1).await.unwrap();
        let fault = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let full = tokio::task::spawn_blocking(move || (disk.fill(), disk));
            let (filler, disk) = full.await.unwrap();
            tokio::time::sleep(Duration::from_secs(6)).await;
            fs::remove_file(filler).unwrap();
            // It ends when it cannot write; whoever runs it makes room and starts it again.
            drop(pair.cluster.kill(1));
            let cluster = Arc::clone(&pair.cluster);
            let restarted = tokio::task::spawn_blocking(move || cluster.restart(1));
            restarted.await.unwrap().unwrap();
            disk
        };
        let (history, _disk) = tokio::join!(pair.work(4, Duration::from_secs(12)), fault);
        let history = history.unwrap();
        let logs = pair.rest().await.unwrap();
        assert_eq!(judge(&history, &logs), []);
        let tried_again = |op: &&testkit::Op| op.sent > 1 && op.is_done();
        assert!(
            history.ops.iter().filter(tried_again).count() > 0,
            "the disk was full"
        );
        drop(pair);
    });
}
