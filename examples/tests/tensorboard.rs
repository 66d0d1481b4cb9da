//! Files of events, read by a parser of their own, and by TensorBoard where it is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use retrograde_examples::tensorboard::{Events, Scalars, crc32c};

/// A folder that is removed when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("retrograde-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }

    fn files(&self) -> Vec<PathBuf> {
        std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The examples of RFC 3720, appendix B.4, and the usual check value.
#[test]
fn checksums_are_those_of_the_standard() {
    let rising: Vec<u8> = (0..32).collect();
    let falling: Vec<u8> = (0..32).rev().collect();
    let command = [
        0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0,
        0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
    ];
    for (bytes, expected) in [
        (&[0; 32][..], 0x8a91_36aa),
        (&[0xff; 32], 0x62a8_ab43),
        (&rising, 0x46dd_794e),
        (&falling, 0x113f_db5c),
        (&command, 0xd996_3a56),
        (b"123456789", 0xe306_9283),
        (b"", 0),
    ] {
        assert_eq!(crc32c(bytes), expected, "{bytes:?}");
    }
}

/// The fields of a protocol buffer: number, and content.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let end = bytes.iter().position(|byte| byte & 128 == 0).unwrap() + 1;
        let (digits, rest) = bytes.split_at(end);
        *bytes = rest;
        digits.iter().rev().fold(0, |number, digit| number << 7 | u64::from(digit & 127))
    }
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let content = match key & 7 {
            0 => varint(&mut bytes).to_le_bytes().to_vec(),
            kind => {
                let length = match kind {
                    1 => 8,
                    2 => varint(&mut bytes) as usize,
                    5 => 4,
                    _ => panic!("a field of kind {kind}"),
                };
                let (content, rest) = bytes.split_at(length);
                bytes = rest;
                content.to_vec()
            }
        };
        fields.push((key >> 3, content));
    }
    fields
}

/// The records of a file, whose checksums have to be right.
fn records(path: &Path) -> Vec<Vec<u8>> {
    let file = std::fs::read(path).unwrap();
    let (mut rest, mut records) = (&file[..], Vec::new());
    let masked = |bytes: &[u8]| {
        let crc = crc32c(bytes);
        crc.rotate_left(17).wrapping_add(0xa282_ead8).to_le_bytes()
    };
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        assert_eq!(rest[8..12], masked(&rest[..8]));
        let data = &rest[12..12 + length];
        assert_eq!(rest[12 + length..16 + length], masked(data));
        records.push(data.to_vec());
        rest = &rest[16 + length..];
    }
    records
}

const SCALARS: [(&str, usize, f64); 5] = [
    ("loss/train", 0, 2.5),
    ("loss/train", 1, -1e-30),
    ("손실", 300, f64::INFINITY),
    ("", 7, 0.1),
    ("x", 1 << 40, 3.0),
];

fn written(name: &str) -> Folder {
    let folder = Folder::new(name);
    let mut events = Events::create(&folder.0).unwrap();
    for (tag, step, value) in SCALARS {
        events.scalar(tag, step, value).unwrap();
    }
    folder
}

#[test]
fn what_was_written_is_read() {
    let folder = written("events");
    let files = folder.files();
    assert!(
        files.len() == 1
            && files[0].file_name().unwrap().to_str().unwrap().starts_with("events.out.tfevents.")
    );
    let events: Vec<Vec<(u64, Vec<u8>)>> = records(&files[0]).iter().map(|event| fields(event)).collect();
    assert_eq!(events[0][1], (3, b"brain.Event:2".to_vec()));
    assert_eq!(events.len(), 1 + SCALARS.len());
    let mut last = 0.0;
    for (event, (tag, step, value)) in events[1..].iter().zip(SCALARS) {
        let [(1, time), (2, found), (5, summary)] = &event[..] else { panic!("{event:?}") };
        let time = f64::from_le_bytes(time[..].try_into().unwrap());
        assert!(time > 1.7e9 && time >= last, "{time}");
        last = time;
        assert_eq!(found[..], (step as u64).to_le_bytes());
        let summary = fields(summary);
        let [(1, content)] = &summary[..] else { panic!("{summary:?}") };
        assert_eq!(
            fields(content),
            [(1, tag.as_bytes().to_vec()), (2, (value as f32).to_le_bytes().to_vec())]
        );
    }
    // Another file of the same second does not take its place.
    Events::create(&folder.0).unwrap();
    assert_eq!(folder.files().len(), 2);
}

#[test]
fn nothing_is_written_unless_asked() {
    assert!(Scalars::default().open("run").unwrap().is_none());
    let folder = Folder::new("asked");
    let scalars = Scalars { tensorboard: Some(folder.0.clone()) };
    assert!(scalars.open("run").unwrap().is_some());
    assert!(folder.0.join("run").is_dir());
    let file = folder.0.join("file");
    std::fs::write(&file, "").unwrap();
    let refused = Scalars { tensorboard: Some(file) }.open("run").unwrap_err().to_string();
    assert!(refused.contains("file/run"), "{refused}");
}

/// TensorBoard's own reader, by the Python that `RETROGRADE_TENSORBOARD` names, such as `.venv/bin/python`.
#[test]
fn tensorboard_reads_what_was_written() {
    let Ok(python) = std::env::var("RETROGRADE_TENSORBOARD") else {
        eprintln!("RETROGRADE_TENSORBOARD names no Python with TensorBoard: not tried");
        return;
    };
    let folder = written("tensorboard");
    let program = "import sys\n\
        from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader\n\
        for event in LegacyEventFileLoader(sys.argv[1]).Load():\n\
        \x20   for value in event.summary.value:\n\
        \x20       print(event.step, value.simple_value, value.tag)\n";
    let file = &folder.files()[0];
    let mut command = Command::new(python);
    let output = command.args(["-c", program]).arg(file).env("PYTHONIOENCODING", "utf-8").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.lines().count(), SCALARS.len(), "{text}");
    for (line, (tag, step, value)) in text.lines().zip(SCALARS) {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        assert_eq!((words[0].parse().unwrap(), words[2]), (step, tag));
        assert_eq!(words[1].parse::<f64>().unwrap() as f32, value as f32);
    }
}
