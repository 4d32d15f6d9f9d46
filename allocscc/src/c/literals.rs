//! The values and types of numbers and character constants.

use super::strings::{each_unit, element, split_prefix};
use super::types;
use crate::sites::facts::BaseType;

/// A number: its value (0 for floating ones) and type.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Number {
    pub(super) value: i128,
    pub(super) floating: bool,
    pub(super) ty: BaseType,
}

/// Reads a preprocessing number; `None` if it is none of C's.
pub(super) fn number(text: &[u8]) -> Option<Number> {
    let lower: Vec<u8> = text.iter().filter(|&&b| b != b'\'').map(u8::to_ascii_lowercase).collect();
    let (radix, digits) = match lower.as_slice() {
        [b'0', b'x', rest @ ..] => (16, rest),
        [b'0', b'b', rest @ ..] => (2, rest),
        [b'0', b'o', rest @ ..] => (8, rest),
        rest => (10, rest),
    };
    let exponent: &[u8] = if radix == 16 { b"p" } else { b"e" };
    let floating = digits.contains(&b'.') || (radix != 2 && digits.iter().any(|b| exponent.contains(b)));
    if floating { floating_number(digits, radix) } else { integer(digits, radix) }
}

fn floating_number(digits: &[u8], radix: u32) -> Option<Number> {
    let mut seen_exponent = false;
    let mut end = 0;
    for (index, &byte) in digits.iter().enumerate() {
        let starts_exponent = !seen_exponent && byte == if radix == 16 { b'p' } else { b'e' };
        let part = match byte {
            b'.' | b'0'..=b'9' => true,
            b'a'..=b'f' if radix == 16 && !seen_exponent => true,
            b'+' | b'-' => index > 0 && matches!(digits[index - 1], b'e' | b'p'),
            _ => starts_exponent,
        };
        seen_exponent |= starts_exponent;
        if !part {
            break;
        }
        end = index + 1;
    }
    let suffix = &digits[end..];
    let complex = suffix.iter().any(|byte| matches!(byte, b'i' | b'j'));
    let plain: Vec<u8> = suffix.iter().copied().filter(|byte| !matches!(byte, b'i' | b'j')).collect();
    let (encoding, size) = match plain.as_slice() {
        b"" | b"f64" | b"f32x" | b"d" => (types::FLOAT, 8),
        b"f" | b"f32" => (types::FLOAT, 4),
        b"f16" | b"bf16" => (types::FLOAT, 2),
        b"l" | b"w" | b"q" | b"f128" | b"f64x" | b"f128x" => (types::FLOAT, 16),
        b"df" => (types::DECIMAL_FLOAT, 4),
        b"dd" => (types::DECIMAL_FLOAT, 8),
        b"dl" => (types::DECIMAL_FLOAT, 16),
        _ => return None,
    };
    let ty = if complex {
        BaseType { encoding: types::COMPLEX_FLOAT, size: size * 2 }
    } else {
        BaseType { encoding, size }
    };
    Some(Number { value: 0, floating: true, ty })
}

fn integer(digits: &[u8], radix: u32) -> Option<Number> {
    let radix = if radix == 10 && digits.len() > 1 && digits[0] == b'0' { 8 } else { radix };
    let count = digits.iter().take_while(|&&byte| (byte as char).is_digit(radix)).count();
    if count == 0 {
        return None;
    }
    let value = digits[..count].iter().fold(0u128, |value, &byte| {
        value
            .wrapping_mul(u128::from(radix))
            .wrapping_add(u128::from((byte as char).to_digit(radix).unwrap_or(0)))
    });
    let suffix = &digits[count..];
    let complex = suffix.iter().any(|byte| matches!(byte, b'i' | b'j'));
    let plain: Vec<u8> = suffix.iter().copied().filter(|byte| !matches!(byte, b'i' | b'j')).collect();
    let (unsigned, long) = match plain.as_slice() {
        b"" => (false, false),
        b"u" => (true, false),
        b"l" | b"ll" | b"z" => (false, true),
        b"ul" | b"ull" | b"lu" | b"llu" | b"uz" | b"zu" => (true, true),
        b"wb" => (false, value > i32::MAX as u128),
        b"uwb" | b"wbu" => (true, value > u128::from(u32::MAX)),
        // `1f` is no number, but decimal floating suffixes may follow digits alone.
        _ => return None,
    };
    let ty = integer_type(value, radix == 10, unsigned, long);
    let ty = if complex { BaseType { encoding: types::COMPLEX_FLOAT, size: ty.size * 2 } } else { ty };
    Some(Number { value: value as i128, floating: complex, ty })
}

/// The first type of the list of C17 6.4.4.1 that holds the value.
fn integer_type(value: u128, decimal: bool, unsigned: bool, long: bool) -> BaseType {
    let fits_int = value <= i32::MAX as u128 && !long;
    let fits_uint = value <= u128::from(u32::MAX) && !long;
    let fits_long = value <= i64::MAX as u128;
    match (unsigned, decimal) {
        (true, _) if fits_uint => types::UINT,
        (true, _) => types::ULONG,
        (false, _) if fits_int => types::INT,
        (false, false) if fits_uint => types::UINT,
        (false, _) if fits_long => types::LONG,
        (false, false) => types::ULONG,
        (false, true) => BaseType { encoding: types::SIGNED, size: 16 },
    }
}

/// The value and type of a character constant.
pub(super) fn character(text: &[u8]) -> (i128, BaseType) {
    let (prefix, body) = split_prefix(text);
    let mut units = Vec::new();
    each_unit(body, !prefix.is_empty(), |unit| units.push(unit.value()));
    let value = match (prefix, units.as_slice()) {
        (b"", [single]) => i128::from(*single as u8 as i8),
        (b"", many) => i128::from(many.iter().fold(0u32, |value, unit| (value << 8) | (unit & 0xff)) as i32),
        (_, many) => many.last().map_or(0, |&unit| i128::from(unit)),
    };
    (value, if prefix.is_empty() { types::INT } else { element(prefix) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, value: i128, encoding: u8, size: u32) {
        let number = number(text.as_bytes()).unwrap_or_else(|| panic!("{text} is a number"));
        assert_eq!((number.value, number.ty), (value, BaseType { encoding, size }), "{text}");
    }

    #[test]
    fn numbers() {
        check("0", 0, types::SIGNED, 4);
        check("0x80000000", 0x8000_0000, types::UNSIGNED, 4);
        check("2147483648", 0x8000_0000, types::SIGNED, 8);
        check("0b1010", 10, types::SIGNED, 4);
        check("017", 15, types::SIGNED, 4);
        check("1'000'000uLL", 1_000_000, types::UNSIGNED, 8);
        check("0xFFFFFFFFFFFFFFFF", u64::MAX.into(), types::UNSIGNED, 8);
        check("7wb", 7, types::SIGNED, 4);
        check("1e5", 0, types::FLOAT, 8);
        check("0x1.8p-3f", 0, types::FLOAT, 4);
        check(".5L", 0, types::FLOAT, 16);
        check("1.0i", 0, types::COMPLEX_FLOAT, 16);
        check("1.0f128", 0, types::FLOAT, 16);
        check("1.0dd", 0, types::DECIMAL_FLOAT, 8);
        assert_eq!(number(b"1x"), None);
        assert_eq!(number(b"0xg"), None);
    }

    #[test]
    fn characters() {
        assert_eq!(character(b"'a'"), (97, types::INT));
        assert_eq!(character(b"'\\xff'"), (-1, types::INT));
        assert_eq!(character(b"'\\n'"), (10, types::INT));
        assert_eq!(character(b"L'x'").0, 120);
        assert_eq!(character("L'é'".as_bytes()).0, 0xe9);
    }
}
