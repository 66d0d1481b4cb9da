//! Archives of NumPy's arrays: zip files whose members are stored, not compressed.

use std::collections::BTreeMap;

use super::WeightsError;
use super::header::{Entry, Header};
use super::npy;

const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";

/// Whether these are the first bytes of an archive.
pub(super) fn recognize(file: &[u8]) -> bool {
    // A `.safetensors` header of that length, less than 16 TB, has zeros where an archive has a version.
    file.starts_with(&END) || file.starts_with(&LOCAL) && file.get(4..8).is_some_and(|bytes| bytes != [0; 4])
}

/// Reads an archive as `numpy.savez` writes it. Arrays are put end to end.
///
/// # Source
/// PKWARE, *APPNOTE.TXT, .ZIP file format specification*, version 6.3.10, sections 4.3 and 4.5.3.
pub(super) fn read(file: &[u8]) -> Result<(Header, Vec<u8>), WeightsError> {
    arrays(file).map_err(|error| {
        let start = &file[..file.len().min(512)];
        let is_torch = start.windows(9).any(|name| name == b"/data.pkl");
        if is_torch {
            WeightsError::OtherFormat { found: "a zip archive, as torch.save writes" }
        } else {
            error
        }
    })
}

fn arrays(file: &[u8]) -> Result<(Header, Vec<u8>), WeightsError> {
    let (mut header, mut data) = (Header::default(), Vec::new());
    for member in members(file)? {
        let Some(name) = member.name.strip_suffix(".npy") else {
            return Err(zip("members that end with .npy", format!("{:?}", member.name)));
        };
        let array = npy::read(name, member.data)?;
        let start = data.len();
        data.extend_from_slice(&array.bytes);
        let entry = Entry { dtype: array.dtype, dims: array.dims, bytes: start..data.len() };
        if header.entries.insert(name.to_owned(), entry).is_some() {
            return Err(WeightsError::Repeated { name: name.to_owned() });
        }
    }
    Ok((header, data))
}

/// Writes an archive of these files.
pub(super) fn write(members: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, WeightsError> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    let too_large = || zip("arrays of less than 4 GiB in all, 65534 at most", "more".into());
    let size = |size: usize| u32::try_from(size).ok().filter(|&size| size < u32::MAX).ok_or_else(too_large);
    for (name, data) in members {
        let name = format!("{name}.npy");
        let name_length = u16::try_from(name.len())
            .map_err(|_| zip("names of at most 65531 bytes", name.len().to_string()))?;
        let (start, length) = (size(file.len())?, size(data.len())?);
        // Version 2.0, a name in UTF-8, stored, the first of January 1980, and no more fields.
        let mut common =
            [&20_u16.to_le_bytes()[..], &0x0800_u16.to_le_bytes(), &[0, 0, 0, 0, 0x21, 0]].concat();
        for number in [crc(data), length, length] {
            common.extend_from_slice(&number.to_le_bytes());
        }
        common.extend_from_slice(&name_length.to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        file.extend([&LOCAL, &common[..], name.as_bytes(), data].concat());
        directory.extend(
            [&CENTRAL, &20_u16.to_le_bytes()[..], &common, &[0; 10], &start.to_le_bytes(), name.as_bytes()]
                .concat(),
        );
    }
    let count = u16::try_from(members.len()).ok().filter(|&count| count < u16::MAX).ok_or_else(too_large)?;
    let (start, length) = (size(file.len())?, size(directory.len())?);
    file.extend(directory);
    file.extend_from_slice(&END);
    file.extend_from_slice(&[0; 4]);
    file.extend([count, count].map(u16::to_le_bytes).concat());
    file.extend([length, start].map(u32::to_le_bytes).concat());
    file.extend_from_slice(&[0; 2]);
    Ok(file)
}

/// A file in an archive.
struct Member<'a> {
    name: &'a str,
    data: &'a [u8],
}

fn members(file: &[u8]) -> Result<Vec<Member<'_>>, WeightsError> {
    let (count, start) = directory(file)?;
    let mut fields = Fields { bytes: file.get(start..).unwrap_or_default() };
    let mut members = Vec::new();
    for _ in 0..count {
        members.push(member(file, &mut fields)?);
    }
    Ok(members)
}

/// The number of members, and where the list of them begins.
fn directory(file: &[u8]) -> Result<(u64, usize), WeightsError> {
    const LENGTH: usize = 22;
    let none = || zip("the list of the arrays at the end", "none: the file may be cut".into());
    let last = file.len().checked_sub(LENGTH).ok_or_else(none)?;
    // Behind it, there may be a comment of two bytes' length.
    let end = (last.saturating_sub(usize::from(u16::MAX))..=last).rev().find(|&end| {
        let comment = [file[end + 20], file[end + 21]];
        file[end..].starts_with(&END) && usize::from(u16::from_le_bytes(comment)) == last - end
    });
    let end = end.ok_or_else(none)?;
    let mut fields = Fields { bytes: &file[end + 4..] };
    fields.skip(6)?;
    let (count, _, start) = (fields.u16()?, fields.u32()?, fields.u32()?);
    if count != u16::MAX && start != u32::MAX {
        return Ok((u64::from(count), start as usize));
    }
    // A large archive has the numbers elsewhere.
    let locator = end.checked_sub(20).and_then(|at| file.get(at..)).unwrap_or_default();
    let mut fields = Fields { bytes: locator };
    fields.signature(LOCATOR_64)?;
    fields.skip(4)?;
    let mut fields = Fields { bytes: place(fields.u64()?).and_then(|at| file.get(at..)).unwrap_or_default() };
    fields.signature(END_64)?;
    fields.skip(28)?;
    let (count, _, start) = (fields.u64()?, fields.u64()?, fields.u64()?);
    Ok((count, place(start).ok_or_else(none)?))
}

/// The next member of the list.
fn member<'a>(file: &'a [u8], fields: &mut Fields<'a>) -> Result<Member<'a>, WeightsError> {
    fields.signature(CENTRAL)?;
    fields.skip(4)?;
    let (flags, method) = (fields.u16()?, fields.u16()?);
    fields.skip(4)?;
    let (checksum, stored, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
    let [name, extra, comment] = [fields.u16()?, fields.u16()?, fields.u16()?].map(usize::from);
    fields.skip(8)?;
    let start = fields.u32()?;
    let name = std::str::from_utf8(fields.take(name)?);
    let name = name.map_err(|_| zip("names in UTF-8", "other bytes".into()))?;
    let extra = fields.take(extra)?;
    fields.skip(comment)?;
    if flags & 1 != 0 {
        return Err(zip("arrays that are not encrypted", format!("{name:?}, which is")));
    }
    if method != 0 {
        return Err(zip(
            "stored arrays, as numpy.savez writes them",
            format!("{name:?}, which is compressed"),
        ));
    }
    let [size, stored, start] = wide([size, stored, start], extra)?;
    if size != stored {
        return Err(zip("stored arrays", format!("{stored} bytes for the {size} of {name:?}")));
    }
    let mut local = Fields { bytes: place(start).and_then(|at| file.get(at..)).unwrap_or_default() };
    local.signature(LOCAL)?;
    local.skip(22)?;
    let [own_name, extra] = [local.u16()?, local.u16()?].map(usize::from);
    local.skip(own_name)?;
    local.skip(extra)?;
    let data = local.take(place(size).unwrap_or(usize::MAX))?;
    if crc(data) != checksum {
        return Err(zip("arrays whose checksums are those stated", format!("{name:?} with another")));
    }
    Ok(Member { name, data })
}

/// Numbers of which those that do not fit in 32 bits stand in an extra field, in this order.
fn wide(numbers: [u32; 3], extra: &[u8]) -> Result<[u64; 3], WeightsError> {
    let mut extra = Fields { bytes: extra };
    let mut wide = Fields { bytes: &[] };
    while let (Ok(id), Ok(length)) = (extra.u16(), extra.u16()) {
        let field = extra.take(usize::from(length))?;
        if id == 1 {
            wide = Fields { bytes: field };
        }
    }
    let mut result = numbers.map(u64::from);
    for (number, result) in numbers.iter().zip(&mut result) {
        if *number == u32::MAX {
            *result = wide.u64()?;
        }
    }
    Ok(result)
}

fn place(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}

fn zip(expected: &'static str, found: String) -> WeightsError {
    WeightsError::Zip { expected, found }
}

/// Little-endian fields, one after the other.
struct Fields<'a> {
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], WeightsError> {
        let split = self.bytes.split_at_checked(length);
        let (field, rest) =
            split.ok_or_else(|| zip("places within the file", "one beyond its end".into()))?;
        self.bytes = rest;
        Ok(field)
    }

    fn skip(&mut self, length: usize) -> Result<(), WeightsError> {
        self.take(length).map(|_| ())
    }

    fn number<const K: usize>(&mut self) -> Result<[u8; K], WeightsError> {
        Ok(self.take(K)?.try_into().expect("as many bytes"))
    }

    fn u16(&mut self) -> Result<u16, WeightsError> {
        self.number().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, WeightsError> {
        self.number().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, WeightsError> {
        self.number().map(u64::from_le_bytes)
    }

    fn signature(&mut self, expected: [u8; 4]) -> Result<(), WeightsError> {
        if self.bytes.starts_with(&expected) {
            return self.skip(4);
        }
        Err(zip("places that hold what the list says", "other bytes".into()))
    }
}

/// The checksum of zip files: the remainder of a division of polynomials, byte by byte.
///
/// # Source
/// ISO 3309; W. Peterson and D. Brown, *Cyclic codes for error detection* (1961).
fn crc(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            let (mut rest, mut bit) = (i as u32, 0);
            while bit < 8 {
                rest = (rest >> 1) ^ if rest & 1 == 1 { 0xEDB8_8320 } else { 0 };
                bit += 1;
            }
            table[i] = rest;
            i += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc, &byte| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)])
}
