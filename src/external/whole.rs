//! Bytes that are a value, and nothing behind it.

use serde::de::DeserializeOwned;

/// Decodes bytes that are the encoding of one value from their first to their last.
///
/// # Errors
///
/// What is wrong with the bytes.
pub(crate) fn decode_whole<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(format!("{} bytes follow it", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_more_nor_less_than_a_value_is_taken() {
        assert_eq!(decode_whole::<(u8, u8)>(&[1, 2]), Ok((1, 2)));
        assert_eq!(decode_whole::<(u8, u8)>(&[1, 2, 3]), Err("1 bytes follow it".to_owned()));
        assert!(decode_whole::<(u8, u8)>(&[1]).is_err());
    }
}
