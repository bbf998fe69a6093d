//! Label sets as objects, of which only what differs from the set before is written anew.

use narthex_model::Labels;

use super::{Escape, JsonWriter, push_quoted};

/// The set written last.
#[derive(Default)]
pub(super) struct LastSet {
    labels: Labels,
    /// Its pairs, a comma behind each.
    text: Vec<u8>,
    /// How many bytes each pair takes.
    lengths: Vec<usize>,
    /// Likewise of pairs that differ; empty between sets.
    new_lengths: Vec<usize>,
}

impl JsonWriter<'_> {
    /// An object of names and values. Series come sorted, so that most sets have most pairs in common with the one
    /// before.
    pub fn labels(&mut self, labels: &Labels) {
        let (buffer, last) = (&mut self.chunks.buffer, &mut self.last_set);
        let difference = labels.difference(&last.labels);
        let between = difference.first..last.lengths.len() - difference.last;
        let head: usize = last.lengths[..between.start].iter().sum();
        let tail: usize = last.lengths[between.end..].iter().sum();
        buffer.push(b'{');
        let start = buffer.len();
        buffer.extend_from_slice(&last.text[..head]);
        let mut end = buffer.len();
        for (name, value) in difference.between {
            push_quoted(buffer, name, Escape::Plain);
            buffer.push(b':');
            push_quoted(buffer, value, Escape::Plain);
            buffer.push(b',');
            last.new_lengths.push(buffer.len() - end);
            end = buffer.len();
        }
        buffer.extend_from_slice(&last.text[last.text.len() - tail..]);
        last.lengths.splice(between, last.new_lengths.drain(..));
        last.text.clear();
        last.text.extend_from_slice(&buffer[start..]);
        last.labels.clone_from(labels);
        match buffer.last_mut() {
            Some(comma) if !labels.is_empty() => *comma = b'}',
            _ => buffer.push(b'}'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_whatever_came_before() {
        let sets: [&[(&str, &str)]; 9] = [
            &[],
            &[("a", "1"), ("b", "2"), ("c", "3")],
            &[("a", "1"), ("b", "20\""), ("c", "3")],
            &[("a", "1"), ("b", "20\""), ("bb", ""), ("bc", "<"), ("c", "3")],
            &[("b", "20\""), ("c", "3")],
            &[("c", "3")],
            &[("c", "3"), ("d", "4")],
            &[("a", "x")],
            &[("a", "x")],
        ];
        for before in sets {
            for set in sets {
                let mut body = Vec::new();
                let mut out = JsonWriter::new(&mut body);
                out.labels(&Labels::from_pairs(before.iter().copied()));
                out.labels(&Labels::from_pairs(set.iter().copied()));
                out.finish().unwrap();
                let mut expected = String::new();
                for pairs in [before, set] {
                    let members = pairs.iter().filter(|pair| !pair.1.is_empty());
                    let members: Vec<String> =
                        members.map(|(name, value)| format!("{name:?}:{value:?}")).collect();
                    expected += &format!("{{{}}}", members.join(","));
                }
                assert_eq!(String::from_utf8(body).unwrap(), expected);
            }
        }
    }
}
