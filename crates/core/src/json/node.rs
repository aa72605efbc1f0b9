//! The walker: a value, its path, and the types it may be read as.

use std::{iter, time::Duration};

use serde_json::{Map, Value};

use super::ConfigError;
use crate::status::Code;

/// The longest duration of protobuf's JSON mapping, in seconds: about 10,000 years.
const MAX_SECONDS: u64 = 315_576_000_000;

/// How much of a wrong string an error quotes, in characters.
const QUOTED: usize = 60;

/// A value of a document, with its path.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    path: String,
    value: &'a Value,
}

/// An object of a document, with its path.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    path: String,
    fields: &'a Map<String, Value>,
}

impl<'a> Node<'a> {
    /// The whole document, `$`.
    #[must_use]
    pub fn root(value: &'a Value) -> Self {
        Self { path: "$".into(), value }
    }

    /// Where the value is.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value itself.
    #[must_use]
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// This value is wrong for `reason`.
    #[must_use]
    pub fn error(&self, reason: impl Into<String>) -> ConfigError {
        ConfigError::new(self.path.clone(), reason)
    }

    /// The value as an object.
    ///
    /// # Errors
    ///
    /// The value is something else.
    pub fn object(&self) -> Result<Object<'a>, ConfigError> {
        let fields = self.value.as_object().ok_or_else(|| self.unexpected("an object"))?;
        Ok(Object { path: self.path.clone(), fields })
    }

    /// The elements of the value as an array.
    ///
    /// # Errors
    ///
    /// The value is something else.
    pub fn array(&self) -> Result<impl Iterator<Item = Self>, ConfigError> {
        let elements = self.value.as_array().ok_or_else(|| self.unexpected("an array"))?;
        let element = |(i, value)| Self { path: format!("{}[{i}]", self.path), value };
        Ok(elements.iter().enumerate().map(element))
    }

    /// The elements of the value as an array, each read with `read`.
    ///
    /// # Errors
    ///
    /// The value is something else, or what `read` rejects.
    pub fn list<T, C: FromIterator<T>>(
        &self,
        read: impl Fn(&Self) -> Result<T, ConfigError>,
    ) -> Result<C, ConfigError> {
        self.array()?.map(|element| read(&element)).collect()
    }

    /// The value as `true` or `false`.
    ///
    /// # Errors
    ///
    /// The value is something else.
    pub fn boolean(&self) -> Result<bool, ConfigError> {
        self.value.as_bool().ok_or_else(|| self.unexpected("true or false"))
    }

    /// The value as a string.
    ///
    /// # Errors
    ///
    /// The value is something else.
    pub fn text(&self) -> Result<&'a str, ConfigError> {
        self.value.as_str().ok_or_else(|| self.unexpected("a string"))
    }

    /// The value as a whole number of 32 bits; protobuf lets it be a string of digits too.
    ///
    /// # Errors
    ///
    /// The value is something else, negative or too large.
    pub fn u32(&self) -> Result<u32, ConfigError> {
        let number = self.whole().and_then(|n| u32::try_from(n).ok());
        number.ok_or_else(|| self.unexpected("a whole number from 0 to 4294967295"))
    }

    /// The value as a whole number of 64 bits; protobuf lets it be a string of digits too.
    ///
    /// # Errors
    ///
    /// The value is something else, negative or too large.
    pub fn u64(&self) -> Result<u64, ConfigError> {
        self.whole().ok_or_else(|| self.unexpected("a whole number from 0 to 18446744073709551615"))
    }

    /// The value as a finite number; protobuf lets it be a string too.
    ///
    /// # Errors
    ///
    /// The value is something else, infinite or not a number.
    pub fn f64(&self) -> Result<f64, ConfigError> {
        let number = match self.value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.filter(|n| n.is_finite()).ok_or_else(|| self.unexpected("a number"))
    }

    /// The value as a status code, by name in any case of letters or by number.
    ///
    /// # Errors
    ///
    /// The value is something else, or no such code exists.
    pub fn code(&self) -> Result<Code, ConfigError> {
        let code = match self.value {
            Value::Number(number) => number.as_u64().and_then(Code::from_number),
            Value::String(name) => Code::from_name(name),
            _ => None,
        };
        code.ok_or_else(|| self.unexpected("a status code (a name such as \"UNAVAILABLE\", or 0 to 16)"))
    }

    /// The value as a `google.protobuf.Duration`: seconds with at most nine decimals and an `s`, `"1.5s"`.
    ///
    /// # Errors
    ///
    /// The value is something else, negative, too precise, or beyond protobuf's 10,000 years.
    pub fn duration(&self) -> Result<Duration, ConfigError> {
        let malformed = || self.unexpected("a duration such as \"1.5s\"");
        let text = self.value.as_str().ok_or_else(malformed)?;
        let number = text.strip_suffix('s').ok_or_else(malformed)?;
        let (negative, number) = number.strip_prefix('-').map_or((false, number), |n| (true, n));
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let digits = || whole.bytes().chain(decimals.bytes());
        if digits().next().is_none() || !digits().all(|b| b.is_ascii_digit()) {
            return Err(malformed());
        }
        if negative {
            return Err(self.unexpected("a duration that is not negative"));
        }
        if decimals.len() > 9 {
            return Err(self.unexpected("a duration with at most 9 decimals"));
        }
        let seconds = digits_to_number(whole.bytes());
        let nanos = digits_to_number(decimals.bytes().chain(iter::repeat(b'0')).take(9));
        let duration = Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos));
        if duration > Duration::from_secs(MAX_SECONDS) {
            return Err(self.unexpected(&format!("a duration of at most {MAX_SECONDS}s")));
        }
        Ok(duration)
    }

    fn whole(&self) -> Option<u64> {
        match self.value {
            Value::Number(number) => number.as_u64().or_else(|| integral(number.as_f64()?)),
            Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        }
    }

    fn unexpected(&self, expected: &str) -> ConfigError {
        self.error(format!("expected {expected}, found {}", describe(self.value)))
    }
}

impl<'a> Object<'a> {
    /// Where the object is.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The names of the fields, sorted, those that are `null` included.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.fields.keys().map(String::as_str)
    }

    /// The field of this name, unless it is absent or `null`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.fields.get(name).filter(|value| !value.is_null())?;
        Some(Node { path: self.path_of(name), value })
    }

    /// The field of this name read with `read`, or `None` if it is absent or `null`.
    ///
    /// # Errors
    ///
    /// What `read` rejects.
    pub fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Node<'a>) -> Result<T, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        self.get(name).map(|node| read(&node)).transpose()
    }

    /// The field of this name read with `read`.
    ///
    /// # Errors
    ///
    /// The field is absent or `null`, or what `read` rejects.
    pub fn required<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Node<'a>) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        self.optional(name, read)?.ok_or_else(|| ConfigError::new(self.path_of(name), "this field is required"))
    }

    /// The path of the field of this name, present or not.
    #[must_use]
    pub fn path_of(&self, name: &str) -> String {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if plain && !name.is_empty() { format!("{}.{name}", self.path) } else { format!("{}[{name:?}]", self.path) }
    }
}

/// The number that these digits write, or the largest if it is too large.
fn digits_to_number(digits: impl Iterator<Item = u8>) -> u64 {
    digits.fold(0, |number: u64, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

/// The whole number that a JSON number such as `5.0` or `1e3` is, if it is one that a double holds exactly.
fn integral(number: f64) -> Option<u64> {
    const EXACT: f64 = (1u64 << 53) as f64;
    (number.fract() == 0.0 && (0.0..=EXACT).contains(&number)).then_some(number as u64)
}

/// A value as an error shows it: scalars in full (long strings cut), the rest by kind.
fn describe(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) if text.chars().nth(QUOTED).is_some() => {
            format!("{:?}...", text.chars().take(QUOTED).collect::<String>())
        }
        Value::String(text) => format!("{text:?}"),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
