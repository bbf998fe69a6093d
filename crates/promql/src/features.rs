//! The switches that change the language, under upstream's names.

/// A switch of the parser.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Feature {
    /// 17 functions and the aggregations `limitk` and `limit_ratio`.
    ExperimentalFunctions,
    /// Arithmetic in durations; always on since 3.14, kept as a name that is accepted.
    DurationExpressions,
    /// `anchored` and `smoothed`.
    ExtendedRangeSelectors,
    /// `fill`, `fill_left` and `fill_right`.
    BinopFillModifiers,
}

/// All switches with the names that `--enable-feature` takes.
pub const FEATURES: [(Feature, &str); 4] = [
    (Feature::ExperimentalFunctions, "promql-experimental-functions"),
    (Feature::DurationExpressions, "promql-duration-expr"),
    (Feature::ExtendedRangeSelectors, "promql-extended-range-selectors"),
    (Feature::BinopFillModifiers, "promql-binop-fill-modifiers"),
];

impl Feature {
    /// The switch called `name`.
    pub fn by_name(name: &str) -> Option<Feature> {
        FEATURES.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The name that `--enable-feature` takes.
    pub fn as_str(self) -> &'static str {
        FEATURES[self as usize].1
    }
}

/// How deep expressions may nest (parentheses, signs, calls) before the parser refuses them.
pub const NEST_LIMIT: usize = 256;

/// How deep a tree may get through chains such as `a + b + c + …`, so that walking it needs a bounded stack.
pub const CHAIN_LIMIT: usize = 512;

/// How long a text may be, in bytes. Positions are 32 bits wide; memory and time grow with the length.
pub const TEXT_BYTES_LIMIT: usize = 16 << 20;

/// How many tokens and comments a text may have.
pub const TOKEN_LIMIT: usize = 1 << 20;

/// How many operands, matchers and listed labels an expression may have.
pub const PART_LIMIT: usize = 1 << 17;

/// After so many complaints the rest of a text is not read.
pub const DIAGNOSTIC_LIMIT: usize = 1 << 15;

/// What the parser accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseOptions {
    /// See [`Feature::ExperimentalFunctions`].
    pub experimental_functions: bool,
    /// See [`Feature::DurationExpressions`].
    pub duration_expressions: bool,
    /// See [`Feature::ExtendedRangeSelectors`].
    pub extended_range_selectors: bool,
    /// See [`Feature::BinopFillModifiers`].
    pub fill_modifiers: bool,
    /// See [`NEST_LIMIT`].
    pub nest_limit: usize,
    /// See [`TEXT_BYTES_LIMIT`], which it may not exceed.
    pub text_bytes_max: usize,
}

impl ParseOptions {
    /// What a server accepts when no feature is switched on.
    pub const STABLE: ParseOptions = ParseOptions {
        experimental_functions: false,
        duration_expressions: true,
        extended_range_selectors: false,
        fill_modifiers: false,
        nest_limit: NEST_LIMIT,
        text_bytes_max: TEXT_BYTES_LIMIT,
    };

    /// Every feature on.
    pub const ALL: ParseOptions = ParseOptions {
        experimental_functions: true,
        duration_expressions: true,
        extended_range_selectors: true,
        fill_modifiers: true,
        nest_limit: NEST_LIMIT,
        text_bytes_max: TEXT_BYTES_LIMIT,
    };

    /// With one feature switched on.
    #[must_use]
    pub fn with(mut self, feature: Feature) -> ParseOptions {
        match feature {
            Feature::ExperimentalFunctions => self.experimental_functions = true,
            Feature::DurationExpressions => self.duration_expressions = true,
            Feature::ExtendedRangeSelectors => self.extended_range_selectors = true,
            Feature::BinopFillModifiers => self.fill_modifiers = true,
        }
        self
    }
}

impl Default for ParseOptions {
    fn default() -> ParseOptions {
        ParseOptions::STABLE
    }
}
