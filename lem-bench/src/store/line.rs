//! One line of a journal: a JSON object whose last field is the checksum of what stands before it.
//!
//! Must not know what the object says.

/// The field of the checksum, with the comma in front of it.
const FIELD: &[u8] = br#","crc32":""#;
/// Its length with eight digits, the closing quote and the closing brace.
const SEAL: usize = FIELD.len() + 8 + 2;

/// Turns the text of a JSON object that is not empty into a line of a journal.
pub(super) fn seal(object: &mut Vec<u8>) {
    debug_assert!(object.ends_with(b"}") && object.len() > 2 && !object.contains(&b'\n'));
    object.pop();
    let digits = hex(crc32fast::hash(object));
    object.extend_from_slice(FIELD);
    object.extend_from_slice(digits.as_bytes());
    object.extend_from_slice(b"\"}\n");
}

/// Whether a line, without its line feed, is as it was written.
pub(super) fn is_intact(line: &[u8]) -> bool {
    let Some((body, seal)) = line.len().checked_sub(SEAL).and_then(|at| line.split_at_checked(at)) else {
        return false;
    };
    let mut expected = FIELD.to_vec();
    expected.extend_from_slice(hex(crc32fast::hash(body)).as_bytes());
    expected.extend_from_slice(b"\"}");
    seal == expected
}

/// A checksum as it is written: eight hexadecimal digits.
pub(super) fn hex(crc32: u32) -> String {
    format!("{crc32:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_object_with_its_checksum_at_the_end() {
        let mut line = br#"{"record":"run_end","at":5}"#.to_vec();
        seal(&mut line);
        // `zlib.crc32(b'{"record":"run_end","at":5')`
        assert_eq!(
            String::from_utf8(line.clone()).unwrap(),
            "{\"record\":\"run_end\",\"at\":5,\"crc32\":\"5f4bc3de\"}\n"
        );
        assert!(is_intact(&line[..line.len() - 1]));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let mut line = br#"{"record":"run_end","at":5,"benches":2}"#.to_vec();
        seal(&mut line);
        line.pop();
        for bit in 0..line.len() * 8 {
            line[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_intact(&line), "bit {bit}");
            line[bit / 8] ^= 1 << (bit % 8);
        }
        for cut in 0..line.len() {
            assert!(!is_intact(&line[..cut]), "cut at {cut}");
        }
        assert!(is_intact(&line));
    }
}
