//! The master key: it wraps the keys of people, and lies in a file that only its owner may read.
//!
//! A file may hold several keys, one a line: the first wraps, the others only open. So a master key is
//! changed in three restarts, and every instance can open everything at any time: first all learn the new key
//! as the second one, then it becomes the first and all keys are wrapped anew, then the old one goes.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use journal::{Error, ErrorKind};
use zeroize::Zeroizing;

use crate::cipher::{self, Secret};
use crate::entry::Wrapped;
use crate::person::{KeyId, Person};

/// No file of keys is longer.
const LONGEST_FILE: u64 = 64 * 1024;

/// One master key.
#[derive(Clone)]
pub struct MasterKey {
    id: KeyId,
    secret: Secret,
}

/// The master keys that are known: the first wraps, all open.
#[derive(Debug, Clone)]
pub struct MasterKeys {
    current: MasterKey,
    others: Vec<MasterKey>,
}

impl MasterKey {
    /// A new one.
    pub fn random() -> Self {
        Self::of(cipher::secret())
    }

    fn of(secret: Secret) -> Self {
        let id = blake3::derive_key("patron 2026-11-27 id of a master key", secret.as_slice());
        let id = KeyId(std::array::from_fn(|place| {
            id.get(place).copied().unwrap_or_default()
        }));
        Self { id, secret }
    }

    fn read(line: &str) -> Option<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        if line.len() != 64 || !line.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (place, byte) in secret.iter_mut().enumerate() {
            let digits = line.get(2 * place..2 * place + 2)?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self::of(secret))
    }

    fn line(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(65));
        for byte in self.secret.iter() {
            for digit in [byte >> 4, byte & 15] {
                line.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        line.push('\n');
        line
    }

    fn wrap(&self, person: Person, key: KeyId, secret: &Secret) -> Option<Wrapped> {
        let nonce = cipher::random();
        let bound = bound(person, key);
        let sealed = cipher::seal(&self.secret, &nonce, &bound, secret.as_slice())?;
        Some(Wrapped {
            master: self.id,
            nonce,
            sealed: sealed.try_into().ok()?,
        })
    }
}

/// What a wrapped key is bound to.
fn bound(person: Person, key: KeyId) -> Vec<u8> {
    cipher::bound_to(&[b"patron.keys", person.0.as_bytes(), &key.0])
}

impl MasterKeys {
    /// One that wraps, and others that only open.
    pub const fn new(current: MasterKey, others: Vec<MasterKey>) -> Self {
        Self { current, others }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`ErrorKind::Misconfigured`] if there is none, others than its owner may read it, or it holds no keys; the
    /// message says what to do, and nothing of what is in the file.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|error| {
            let hint = if error.kind() == io::ErrorKind::NotFound {
                "there is no master key"
            } else {
                "the master key cannot be read"
            };
            let make =
                "make one with `patron master-key FILE`, or name the right one with --master-key";
            wrong(format!("{hint} in {}: {make}", path.display())).with_source(error)
        })?;
        private(&file, path)?;
        let mut text = Zeroizing::new(String::new());
        let read = (&file).take(LONGEST_FILE).read_to_string(&mut text);
        read.map_err(|error| {
            let what = format!("the master key in {} is no text", path.display());
            wrong(what).with_source(error)
        })?;
        Self::parse(&text).ok_or_else(|| {
            wrong(format!(
                "{} holds no master key: it needs 64 hexadecimal digits a line, the key in use first, and lines \
                 that begin with # say nothing",
                path.display()
            ))
        })
    }

    /// Makes the file, readable to its owner alone, with a new key.
    ///
    /// # Errors
    /// [`ErrorKind::Misconfigured`] if it is there already, or cannot be made.
    pub fn create(path: &Path) -> Result<(), Error> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| not_made(path, error))?;
        }
        // Under another name first: whoever is stopped half-way must not leave a file without a key in place.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let half = path.with_file_name(format!(".{name}.{}", KeyId(cipher::random())));
        let made = write_new(&half).and_then(|()| std::fs::hard_link(&half, path));
        let removed = std::fs::remove_file(&half);
        made.and(removed)
            .and_then(|()| sync_folder(path))
            .map_err(|error| not_made(path, error))
    }

    /// Reads the file; makes it first if it is missing.
    ///
    /// # Errors
    /// As [`load`](Self::load) and [`create`](Self::create).
    pub fn load_or_create(path: &Path) -> Result<Self, Error> {
        if !path.exists()
            && let Err(error) = Self::create(path)
            // Somebody else may have been faster.
            && !path.exists()
        {
            return Err(error);
        }
        Self::load(path)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines = text.lines().map(str::trim);
        let mut keys = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(MasterKey::read);
        let current = keys.next()??;
        let others = keys.collect::<Option<Vec<_>>>()?;
        Some(Self { current, others })
    }

    /// The id of the one that wraps.
    pub const fn current(&self) -> KeyId {
        self.current.id
    }

    /// Whether one of them has that id.
    pub(crate) fn knows(&self, id: KeyId) -> bool {
        self.all().any(|master| master.id == id)
    }

    pub(crate) fn wrap(&self, person: Person, key: KeyId, secret: &Secret) -> Option<Wrapped> {
        self.current.wrap(person, key, secret)
    }

    /// The key of a person, if one of the master keys opens it.
    pub(crate) fn unwrap(&self, person: Person, key: KeyId, wrapped: &Wrapped) -> Option<Secret> {
        let master = self.all().find(|master| master.id == wrapped.master)?;
        let bound = bound(person, key);
        let opened = cipher::open(&master.secret, &wrapped.nonce, &bound, &wrapped.sealed)?;
        let secret: [u8; 32] = opened.as_slice().try_into().ok()?;
        Some(Zeroizing::new(secret))
    }

    fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.others)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

fn write_new(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(MasterKey::random().line().as_bytes())?;
    file.sync_all()
}

/// A name is on the disk when its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn wrong(what: String) -> Error {
    Error::new(ErrorKind::Misconfigured, what).with_page("master-key")
}

fn not_made(path: &Path, error: io::Error) -> Error {
    let hint = if error.kind() == io::ErrorKind::AlreadyExists {
        "is there already, and a master key is never written over: name another file"
    } else {
        "cannot be made: name a file in a folder that you may write to"
    };
    wrong(format!("{} {hint}", path.display())).with_source(error)
}

#[cfg(unix)]
fn private(file: &File, path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let about = file.metadata().map_err(|error| {
        let what = format!("the master key in {} cannot be read", path.display());
        wrong(what).with_source(error)
    })?;
    let mode = about.permissions().mode() & 0o777;
    if mode.trailing_zeros() >= 6 {
        return Ok(());
    }
    let path = path.display();
    Err(wrong(format!(
        "others may read the master key in {path} (its mode is {mode:03o}): run `chmod 600 {path}`, and change the \
         key if somebody may have read it"
    )))
}

#[cfg(not(unix))]
fn private(_: &File, _: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MasterKey, MasterKeys};
    use crate::cipher::secret;
    use crate::person::{KeyId, Person};
    use std::fs;
    use uuid::Uuid;

    const PERSON: Person = Person(Uuid::from_u128(1));
    const KEY: KeyId = KeyId([1; 8]);

    #[test]
    fn a_file_that_was_made_is_private_and_opens_what_it_wrapped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys").join("master.key");
        let master = MasterKeys::load_or_create(&path).unwrap();
        let secret = secret();
        let wrapped = master.wrap(PERSON, KEY, &secret).unwrap();
        let again = MasterKeys::load_or_create(&path).unwrap();
        assert_eq!(again.unwrap(PERSON, KEY, &wrapped), Some(secret));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_wrapped_key_belongs_to_its_person_and_its_name() {
        let master = MasterKeys::new(MasterKey::random(), vec![]);
        let wrapped = master.wrap(PERSON, KEY, &secret()).unwrap();
        let other = Person(Uuid::from_u128(2));
        assert!(master.unwrap(other, KEY, &wrapped).is_none());
        assert!(master.unwrap(PERSON, KeyId([2; 8]), &wrapped).is_none());
    }

    #[test]
    fn the_first_key_wraps_and_all_open() {
        let (old, new) = (MasterKey::random(), MasterKey::random());
        let before = MasterKeys::new(old.clone(), vec![]);
        let wrapped = before.wrap(PERSON, KEY, &secret()).unwrap();
        let text = format!("# the new one\n{}\n{}", *new.line(), *old.line());
        let during = MasterKeys::parse(&text).unwrap();
        assert_eq!(during.current(), new.id);
        assert!(during.unwrap(PERSON, KEY, &wrapped).is_some());
        let after = MasterKeys::new(new, vec![]);
        assert!(after.unwrap(PERSON, KEY, &wrapped).is_none());
        assert!(!after.knows(old.id));
    }

    #[test]
    fn a_key_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKeys::create(&path).unwrap();
        let before = fs::read(&path).unwrap();
        let error = MasterKeys::create(&path).unwrap_err().to_string();
        assert!(error.contains("never written over"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_key_is_in_place_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..50 {
            let path = folder.path().join(format!("{round}.key"));
            let makers = [path.clone(), path.clone()];
            let makers =
                makers.map(|path| std::thread::spawn(move || MasterKeys::load_or_create(&path)));
            // Whoever sees the file sees a key in it.
            while !path.exists() {
                std::hint::spin_loop();
            }
            let seen = MasterKeys::load(&path).unwrap().current();
            for maker in makers {
                assert_eq!(maker.join().unwrap().unwrap().current(), seen);
            }
        }
        // Nothing half made is left.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 50);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused_with_what_to_do() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKeys::create(&path).unwrap();
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = MasterKeys::load(&path).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn a_file_without_a_key_is_refused_and_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKeys::create(&path).unwrap();
        for text in ["", "# nothing\n", "abcd\n", &"g".repeat(64)] {
            fs::write(&path, text).unwrap();
            let error = MasterKeys::load(&path).unwrap_err().to_string();
            assert!(error.contains("64 hexadecimal digits"), "{error}");
            assert!(text.trim().len() < 5 || !error.contains(text.trim()));
        }
        let missing = MasterKeys::load(&folder.path().join("none")).unwrap_err();
        assert!(missing.to_string().contains("patron master-key"));
    }

    #[test]
    fn nothing_of_a_key_is_shown() {
        let master = MasterKey::random();
        let shown = format!("{master:?}");
        assert!(!shown.contains(&master.line()[..8]), "{shown}");
    }
}
