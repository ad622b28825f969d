//! Checksums: the last field of every line of a journal and of the history.

/// The start of the checksum field at the end of each line.
const CRC_FIELD: &[u8] = br#","crc32":""#;

/// The length of the checksum field with eight digits, the closing quote and the closing brace.
const CRC_FIELD_LEN: usize = CRC_FIELD.len() + 8 + 2;

/// Turns the text of a JSON object that is not empty into a line: appends the field with the checksum of the bytes
/// before it, and a line feed.
pub(super) fn append_crc(object: &mut Vec<u8>) {
    debug_assert!(object.ends_with(b"}") && object.len() > 2 && !object.contains(&b'\n'));
    object.pop();
    let digits = hex(crc32fast::hash(object));
    object.extend_from_slice(CRC_FIELD);
    object.extend_from_slice(digits.as_bytes());
    object.extend_from_slice(b"\"}\n");
}

/// Returns whether the checksum of a line, without its line feed, is right.
pub(super) fn is_intact(line: &[u8]) -> bool {
    let Some((body, field)) = line.len().checked_sub(CRC_FIELD_LEN).and_then(|index| line.split_at_checked(index))
    else {
        return false;
    };
    let mut expected = CRC_FIELD.to_vec();
    expected.extend_from_slice(hex(crc32fast::hash(body)).as_bytes());
    expected.extend_from_slice(b"\"}");
    field == expected
}

/// Formats a checksum as eight hexadecimal digits.
pub(super) fn hex(crc32: u32) -> String {
    format!("{crc32:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_with_checksum() {
        let mut line = br#"{"record":"run_end","at":5}"#.to_vec();
        append_crc(&mut line);
        // `zlib.crc32(b'{"record":"run_end","at":5')`
        assert_eq!(
            String::from_utf8(line.clone()).unwrap(),
            "{\"record\":\"run_end\",\"at\":5,\"crc32\":\"5f4bc3de\"}\n"
        );
        assert!(is_intact(&line[..line.len() - 1]));
    }

    #[test]
    fn checksum_detects_flipped_bits_and_truncation() {
        let mut line = br#"{"record":"run_end","at":5,"benches":2}"#.to_vec();
        append_crc(&mut line);
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
