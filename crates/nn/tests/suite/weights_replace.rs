//! Saving beside other savers, through links, into places that cannot be written: the file is whole, and nothing is lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::files::Folder;
use retrograde_nn::weights::{Weights, Writer};
use retrograde_tensor::Tensor;

/// A file of this number, this often.
fn write(path: &Path, number: f64, count: usize) -> retrograde_nn::Result<()> {
    let mut writer = Writer::default();
    writer.insert("x", &Tensor::full([count], number));
    writer.save(path)
}

/// Reads a file, which has to be one that [`write`] has written.
fn read(path: &Path) -> (f64, usize) {
    let x = Weights::load(path).unwrap().get::<f64>("x").unwrap();
    let number = x.at(&[0]);
    assert!(x.iter().all(|x| x == number), "two files in one");
    (number, x.numel())
}

fn said(result: retrograde_nn::Result<()>, path: &Path) -> String {
    let said = result.unwrap_err().to_string();
    let start = format!("{}: expected a file that can be written, found: ", path.display());
    said.strip_prefix(&start).unwrap_or_else(|| panic!("{said}")).to_owned()
}

#[test]
fn threads_that_save_to_one_path() {
    let folder = Folder::new("threads");
    let path = folder.join("w");
    write(&path, 0.0, 1).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let savers: Vec<_> = [1_usize, 3_000, 20_000]
            .into_iter()
            .map(|count| {
                let path = &path;
                scope.spawn(move || (0..60).for_each(|_| write(path, count as f64, count).unwrap()))
            })
            .collect();
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                let (number, count) = read(&path);
                assert!(number == count as f64 || number == 0.0);
                reads += 1;
            }
            reads
        });
        let saved: Vec<_> = savers.into_iter().map(|saver| saver.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(saved.into_iter().all(|saved| saved.is_ok()));
        assert!(reader.join().unwrap() > 10);
    });
    assert_eq!(folder.names(), ["w"]);
}

const FILE: &str = "RETROGRADE_TEST_SAVED";

/// A process of this program that runs one of these tests alone.
fn process(test: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let module = module_path!().split_once("::").map_or(String::new(), |(_, module)| format!("{module}::"));
    command.args(["--exact", &format!("{module}{test}")]).env(FILE, path);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The processes that the next tests start.
#[test]
fn save_many_times() {
    let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else { return };
    let number = std::process::id();
    (0..100).for_each(|_| write(&path, number.into(), 1 + number as usize % 30_000).unwrap());
}

#[test]
fn processes_that_save_to_one_path() {
    let folder = Folder::new("processes");
    let path = folder.join("w");
    write(&path, 0.0, 1).unwrap();
    let mut savers = [(); 2].map(|()| process("save_many_times", &path).spawn().unwrap());
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let readers = [(); 5].map(|()| {
            scope.spawn(|| {
                let mut seen = std::collections::BTreeSet::new();
                while !done.load(Ordering::Relaxed) {
                    seen.insert(read(&path).0 as u64);
                }
                seen
            })
        });
        let saved = savers.iter_mut().all(|saver| saver.wait().unwrap().success());
        done.store(true, Ordering::Relaxed);
        let seen = readers.map(|reader| reader.join().unwrap());
        assert!(saved);
        seen
    });
    assert!(seen.iter().any(|seen| seen.len() > 1), "nothing was read while they saved");
    assert_eq!(folder.names(), ["w"]);
}

/// Files that killed processes leave behind are removed; nothing else is.
#[test]
fn what_a_kill_leaves_is_removed_and_no_other_file() {
    let folder = Folder::new("kill");
    let path = folder.join("w");
    let leftovers = || folder.names().iter().filter(|name| name.starts_with(".retrograde-")).count();
    let users = [
        ".w.tmp",
        ".retrograde-notes.tmp",
        ".retrograde-0123456789abcdef0123456789abcdef.tmp.bak",
        ".retrograde-0123456789ABCDEF0123456789ABCDEF.tmp",
        "retrograde-0123456789abcdef0123456789abcdef.tmp",
    ];
    users.iter().for_each(|name| fs::write(folder.join(name), name).unwrap());
    let mut left = 0;
    for kill in 0..200 {
        let mut saver = process("save_many_times", &path).spawn().unwrap();
        while !path.exists() && saver.try_wait().unwrap().is_none() {}
        std::thread::sleep(std::time::Duration::from_micros(350 * (kill % 80)));
        saver.kill().unwrap();
        saver.wait().unwrap();
        left = left.max(leftovers() - 3);
        read(&path);
        fs::remove_file(&path).unwrap();
    }
    assert!(left > 0, "no kill has left anything");
    write(&path, 1.0, 1).unwrap();
    let mut expected: Vec<&str> = users.into_iter().chain(["w"]).collect();
    expected.sort_unstable();
    assert_eq!(folder.names(), expected);
    users.iter().for_each(|name| assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), *name));
}

/// Whoever may give files away keeps the owner of a file that is replaced.
#[cfg(unix)]
#[test]
fn the_owner_of_a_file_stays() {
    use std::os::unix::fs::{MetadataExt, chown};
    let folder = Folder::new("owner");
    let path = folder.join("w");
    write(&path, 1.0, 1).unwrap();
    let old = fs::metadata(&path).unwrap();
    let owner = if chown(&path, Some(12_345), Some(54_321)).is_ok() {
        (12_345, 54_321)
    } else {
        (old.uid(), old.gid())
    };
    write(&path, 2.0, 1).unwrap();
    let new = fs::metadata(&path).unwrap();
    assert_eq!(((new.uid(), new.gid()), read(&path)), (owner, (2.0, 1)));
}

/// A temporary file that is still being written is locked, and stays.
#[test]
fn a_temporary_file_in_use_stays() {
    let folder = Folder::new("in-use");
    let temporary = folder.join(".retrograde-0123456789abcdef0123456789abcdef.tmp");
    let file = fs::File::create(&temporary).unwrap();
    file.lock().unwrap();
    write(&folder.join("w"), 1.0, 1).unwrap();
    assert!(temporary.exists());
    drop(file);
    write(&folder.join("w"), 1.0, 1).unwrap();
    assert_eq!(folder.names(), ["w"]);
}

#[test]
fn a_folder_in_the_place_of_a_file() {
    let folder = Folder::new("folder");
    let path = folder.join("w");
    fs::create_dir(&path).unwrap();
    assert_eq!(said(write(&path, 1.0, 1), &path), "a directory");
    let missing = folder.join("no").join("w");
    assert_eq!(said(write(&missing, 1.0, 1), &missing), "No such file or directory (os error 2)");
    let below = folder.join("f").join("w");
    fs::write(folder.join("f"), "").unwrap();
    assert_eq!(said(write(&below, 1.0, 1), &below), "Not a directory (os error 20)");
    for path in ["/", "..", ""] {
        assert_eq!(
            said(write(Path::new(path), 1.0, 1), Path::new(path)),
            "a path without the name of a file"
        );
    }
    assert_eq!(folder.names(), ["f", "w"]);
}

#[test]
fn names_as_long_as_the_system_has_them() {
    let folder = Folder::new("names");
    for length in [1, 200, 250, 251, 254, 255] {
        let path = folder.join("n".repeat(length));
        write(&path, length as f64, 3).unwrap();
        assert_eq!(read(&path), (length as f64, 3));
    }
    let path = folder.join("n".repeat(256));
    assert_eq!(said(write(&path, 1.0, 1), &path), "File name too long (os error 36)");
    assert_eq!(folder.names().len(), 6);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn links_are_followed() {
        let folder = Folder::new("links");
        let at = |name: &str| folder.join(name);
        fs::create_dir(at("other")).unwrap();
        write(&at("other/file"), 1.0, 2).unwrap();
        symlink("other/file", at("link")).unwrap();
        symlink(at("link"), at("link to link")).unwrap();
        write(&at("link to link"), 2.0, 3).unwrap();
        assert_eq!(read(&at("other/file")), (2.0, 3));
        assert!(at("link").is_symlink() && at("link to link").is_symlink());
        // One that points to no file yet, and a folder that is one.
        symlink("other/new", at("dangling")).unwrap();
        write(&at("dangling"), 3.0, 1).unwrap();
        assert!(at("dangling").is_symlink() && !at("other/new").is_symlink());
        assert_eq!(read(&at("other/new")), (3.0, 1));
        symlink("other", at("linked")).unwrap();
        write(&at("linked/third"), 4.0, 1).unwrap();
        assert_eq!(read(&at("other/third")), (4.0, 1));
        symlink("nowhere/new", at("lost")).unwrap();
        assert_eq!(said(write(&at("lost"), 5.0, 1), &at("lost")), "No such file or directory (os error 2)");
        symlink("loop", at("loop")).unwrap();
        symlink("pong", at("ping")).unwrap();
        symlink("ping", at("pong")).unwrap();
        for name in ["loop", "ping"] {
            assert_eq!(said(write(&at(name), 5.0, 1), &at(name)), "symbolic links that lead to one another");
        }
        symlink("other", at("folder")).unwrap();
        assert_eq!(said(write(&at("folder"), 5.0, 1), &at("folder")), "a directory");
        assert_eq!(fs::read_dir(at("other")).unwrap().count(), 3);
    }

    #[test]
    fn permissions_stay() {
        let folder = Folder::new("modes");
        let path = folder.join("w");
        write(&path, 1.0, 1).unwrap();
        let plain = folder.join("plain");
        fs::write(&plain, "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!(mode(&path), mode(&plain)); // a new file as any other
        for expected in [0o600, 0o640, 0o664, 0o755, 0o200] {
            fs::set_permissions(&path, fs::Permissions::from_mode(expected)).unwrap();
            write(&path, 2.0, 1).unwrap();
            assert_eq!(mode(&path), expected);
        }
    }

    /// Also for a user who may write anywhere.
    #[test]
    fn a_file_that_is_read_only_stays() {
        let folder = Folder::new("read-only");
        let path = folder.join("w");
        write(&path, 1.0, 1).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        assert_eq!(said(write(&path, 2.0, 1), &path), "a file that is read-only");
        assert_eq!((read(&path), folder.names().len()), ((1.0, 1), 1));
    }

    #[test]
    fn a_pipe_is_not_replaced() {
        let folder = Folder::new("pipe");
        let path = folder.join("w");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_eq!(said(write(&path, 2.0, 1), &path), "a device, pipe or socket");
        assert!(fs::metadata(&path).unwrap().file_type().is_fifo());
    }

    /// The process that the next test starts where files may not become long.
    #[test]
    fn save_a_long_file() {
        let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else { return };
        if path.ends_with("limited") {
            assert_eq!(said(write(&path, 2.0, 100_000), &path), "File too large (os error 27)");
        }
    }

    /// A disk that is full in the middle of a file, for which a limit of 16 KiB stands.
    #[test]
    fn a_full_disk() {
        let folder = Folder::new("full");
        let path = folder.join("limited");
        write(&path, 1.0, 1).unwrap();
        let saver = process("unix::save_a_long_file", &path);
        let mut shell = Command::new("bash");
        // Without the trap the signal would end the process.
        shell.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "bash"]);
        shell.arg(saver.get_program()).args(saver.get_args()).env(FILE, &path);
        let output = shell.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        assert_eq!((read(&path), folder.names().len()), ((1.0, 1), 1));
    }

    /// The process that the next test starts, as a user who may not write there.
    #[test]
    fn save_where_nobody_may() {
        let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else { return };
        if path.ends_with("forbidden/w") {
            assert_eq!(said(write(&path, 2.0, 1), &path), "Permission denied (os error 13)");
            let new = path.with_file_name("new");
            assert_eq!(said(write(&new, 2.0, 1), &new), "Permission denied (os error 13)");
        }
    }

    /// A file is replaced by a new one beside it, which a folder that is read-only does not take.
    #[test]
    fn a_folder_that_is_read_only() {
        let folder = Folder::new("forbidden");
        let forbidden = folder.join("forbidden");
        fs::create_dir(&forbidden).unwrap();
        let path = forbidden.join("w");
        write(&path, 1.0, 1).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        fs::set_permissions(&forbidden, fs::Permissions::from_mode(0o555)).unwrap();
        let mut saver = process("unix::save_where_nobody_may", &path);
        if fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
            // The administrator may write everywhere: somebody else has to try.
            let mut other = Command::new("setpriv");
            other.args(["--reuid=65534", "--clear-groups"]).arg(saver.get_program()).args(saver.get_args());
            saver = other;
        }
        let output = saver.env(FILE, &path).stdout(Stdio::piped()).output();
        fs::set_permissions(&forbidden, fs::Permissions::from_mode(0o755)).unwrap();
        match output {
            Ok(output) if !matches!(output.status.code(), Some(126 | 127)) => {
                let text = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success() && text.contains("1 passed"), "{text}");
            }
            found => println!("skipped: nobody else can run this test: {found:?}"),
        }
        assert_eq!((read(&path), fs::read_dir(&forbidden).unwrap().count()), ((1.0, 1), 1));
    }
}
