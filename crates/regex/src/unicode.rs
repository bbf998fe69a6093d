//! The Unicode class names Go knows, and the code points behind them.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

/// A named set of code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Any,
    Assigned,
    Ascii,
    Category(&'static str),
    Script(&'static str),
}

impl Table {
    /// The set called `name` in `\p{name}`.
    ///
    /// Go up to 1.24 takes exact short category names and script names; from 1.25 it also takes long category names
    /// and compares loosely (ignoring case, `_`, `-` and spaces). Whatever either accepts is accepted here; the
    /// `property=value` form and binary properties are unknown to all of them.
    pub(crate) fn named(name: &str) -> Option<Table> {
        if let Ok(at) = CATEGORIES.binary_search(&name) {
            return Some(Table::Category(CATEGORIES[at]));
        }
        if let Ok(at) = SCRIPTS.binary_search(&name) {
            return Some(Table::Script(SCRIPTS[at]));
        }
        Table::loosely_named(name)
    }

    fn loosely_named(name: &str) -> Option<Table> {
        let same = |known: &&&str| loose(known).eq(loose(name));
        let special = [("Any", Table::Any), ("Assigned", Table::Assigned), ("ASCII", Table::Ascii)];
        special
            .into_iter()
            .find(|(known, _)| same(&known))
            .map(|(_, table)| table)
            .or_else(|| CATEGORIES.iter().find(same).map(|known| Table::Category(known)))
            .or_else(|| SCRIPTS.iter().find(same).map(|known| Table::Script(known)))
            .or_else(|| {
                let alias = CATEGORY_ALIASES.iter().find(|(known, _)| same(&known));
                alias.map(|(_, short)| Table::Category(short))
            })
    }

    /// Estimated automaton states, generous for the largest tables.
    pub(crate) fn cost(self, fold: bool) -> u64 {
        let plain = match self {
            Table::Any | Table::Ascii => 12,
            Table::Script(_) => 60,
            Table::Assigned | Table::Category(_) => 700,
        };
        // Folding looks at every code point of the table.
        if fold { plain * 3 } else { plain }
    }

    /// The code points of the set.
    pub(crate) fn class(self) -> ClassUnicode {
        match self {
            Table::Any => range('\0', char::MAX),
            Table::Ascii => range('\0', '\x7F'),
            Table::Assigned => negated(query("gc", "Cn")),
            // Surrogates never occur in text.
            Table::Category("Cs") => ClassUnicode::empty(),
            Table::Category("LC") => union(["Lu", "Ll", "Lt"]),
            Table::Category(name) => query("gc", name),
            Table::Script(name) => query("sc", name),
        }
    }
}

/// Whether `c` is a letter or a decimal digit, the characters Go allows in the names of replacement templates.
pub(crate) fn is_letter_or_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    let within = |name| query("gc", name).iter().any(|r| r.start() <= c && c <= r.end());
    within("L") || within("Nd")
}

fn range(start: char, end: char) -> ClassUnicode {
    ClassUnicode::new([ClassUnicodeRange::new(start, end)])
}

fn negated(mut class: ClassUnicode) -> ClassUnicode {
    class.negate();
    class
}

fn union(names: [&str; 3]) -> ClassUnicode {
    let mut all = ClassUnicode::empty();
    for name in names {
        all.union(&query("gc", name));
    }
    all
}

/// Asks the tables of `regex-syntax`; a name it should not know is an empty set.
fn query(property: &str, value: &str) -> ClassUnicode {
    let found = regex_syntax::parse(&format!(r"\p{{{property}={value}}}")).map(|hir| hir.into_kind());
    match found {
        Ok(HirKind::Class(Class::Unicode(class))) => class,
        _ => ClassUnicode::empty(),
    }
}

fn loose(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|b| !matches!(b, b'_' | b'-' | b' ')).map(|b| b.to_ascii_lowercase())
}

/// General categories, sorted.
const CATEGORIES: [&str; 38] = [
    "C", "Cc", "Cf", "Cn", "Co", "Cs", "L", "LC", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N",
    "Nd", "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl",
    "Zp", "Zs",
];

/// Long names of general categories.
const CATEGORY_ALIASES: [(&str, &str); 42] = [
    ("Cased_Letter", "LC"),
    ("Close_Punctuation", "Pe"),
    ("Combining_Mark", "M"),
    ("Connector_Punctuation", "Pc"),
    ("Control", "Cc"),
    ("Currency_Symbol", "Sc"),
    ("Dash_Punctuation", "Pd"),
    ("Decimal_Number", "Nd"),
    ("Enclosing_Mark", "Me"),
    ("Final_Punctuation", "Pf"),
    ("Format", "Cf"),
    ("Initial_Punctuation", "Pi"),
    ("Letter", "L"),
    ("Letter_Number", "Nl"),
    ("Line_Separator", "Zl"),
    ("Lowercase_Letter", "Ll"),
    ("Mark", "M"),
    ("Math_Symbol", "Sm"),
    ("Modifier_Letter", "Lm"),
    ("Modifier_Symbol", "Sk"),
    ("Nonspacing_Mark", "Mn"),
    ("Number", "N"),
    ("Open_Punctuation", "Ps"),
    ("Other", "C"),
    ("Other_Letter", "Lo"),
    ("Other_Number", "No"),
    ("Other_Punctuation", "Po"),
    ("Other_Symbol", "So"),
    ("Paragraph_Separator", "Zp"),
    ("Private_Use", "Co"),
    ("Punctuation", "P"),
    ("Separator", "Z"),
    ("Space_Separator", "Zs"),
    ("Spacing_Mark", "Mc"),
    ("Surrogate", "Cs"),
    ("Symbol", "S"),
    ("Titlecase_Letter", "Lt"),
    ("Unassigned", "Cn"),
    ("Uppercase_Letter", "Lu"),
    ("cntrl", "Cc"),
    ("digit", "Nd"),
    ("punct", "P"),
];

/// Scripts of Unicode 15, the version Go ships, sorted.
const SCRIPTS: [&str; 163] = [
    "Adlam",
    "Ahom",
    "Anatolian_Hieroglyphs",
    "Arabic",
    "Armenian",
    "Avestan",
    "Balinese",
    "Bamum",
    "Bassa_Vah",
    "Batak",
    "Bengali",
    "Bhaiksuki",
    "Bopomofo",
    "Brahmi",
    "Braille",
    "Buginese",
    "Buhid",
    "Canadian_Aboriginal",
    "Carian",
    "Caucasian_Albanian",
    "Chakma",
    "Cham",
    "Cherokee",
    "Chorasmian",
    "Common",
    "Coptic",
    "Cuneiform",
    "Cypriot",
    "Cypro_Minoan",
    "Cyrillic",
    "Deseret",
    "Devanagari",
    "Dives_Akuru",
    "Dogra",
    "Duployan",
    "Egyptian_Hieroglyphs",
    "Elbasan",
    "Elymaic",
    "Ethiopic",
    "Georgian",
    "Glagolitic",
    "Gothic",
    "Grantha",
    "Greek",
    "Gujarati",
    "Gunjala_Gondi",
    "Gurmukhi",
    "Han",
    "Hangul",
    "Hanifi_Rohingya",
    "Hanunoo",
    "Hatran",
    "Hebrew",
    "Hiragana",
    "Imperial_Aramaic",
    "Inherited",
    "Inscriptional_Pahlavi",
    "Inscriptional_Parthian",
    "Javanese",
    "Kaithi",
    "Kannada",
    "Katakana",
    "Kawi",
    "Kayah_Li",
    "Kharoshthi",
    "Khitan_Small_Script",
    "Khmer",
    "Khojki",
    "Khudawadi",
    "Lao",
    "Latin",
    "Lepcha",
    "Limbu",
    "Linear_A",
    "Linear_B",
    "Lisu",
    "Lycian",
    "Lydian",
    "Mahajani",
    "Makasar",
    "Malayalam",
    "Mandaic",
    "Manichaean",
    "Marchen",
    "Masaram_Gondi",
    "Medefaidrin",
    "Meetei_Mayek",
    "Mende_Kikakui",
    "Meroitic_Cursive",
    "Meroitic_Hieroglyphs",
    "Miao",
    "Modi",
    "Mongolian",
    "Mro",
    "Multani",
    "Myanmar",
    "Nabataean",
    "Nag_Mundari",
    "Nandinagari",
    "New_Tai_Lue",
    "Newa",
    "Nko",
    "Nushu",
    "Nyiakeng_Puachue_Hmong",
    "Ogham",
    "Ol_Chiki",
    "Old_Hungarian",
    "Old_Italic",
    "Old_North_Arabian",
    "Old_Permic",
    "Old_Persian",
    "Old_Sogdian",
    "Old_South_Arabian",
    "Old_Turkic",
    "Old_Uyghur",
    "Oriya",
    "Osage",
    "Osmanya",
    "Pahawh_Hmong",
    "Palmyrene",
    "Pau_Cin_Hau",
    "Phags_Pa",
    "Phoenician",
    "Psalter_Pahlavi",
    "Rejang",
    "Runic",
    "Samaritan",
    "Saurashtra",
    "Sharada",
    "Shavian",
    "Siddham",
    "SignWriting",
    "Sinhala",
    "Sogdian",
    "Sora_Sompeng",
    "Soyombo",
    "Sundanese",
    "Syloti_Nagri",
    "Syriac",
    "Tagalog",
    "Tagbanwa",
    "Tai_Le",
    "Tai_Tham",
    "Tai_Viet",
    "Takri",
    "Tamil",
    "Tangsa",
    "Tangut",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Tifinagh",
    "Tirhuta",
    "Toto",
    "Ugaritic",
    "Vai",
    "Vithkuqi",
    "Wancho",
    "Warang_Citi",
    "Yezidi",
    "Yi",
    "Zanabazar_Square",
];
