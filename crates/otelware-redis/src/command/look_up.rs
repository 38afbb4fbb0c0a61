//! How a command is found in the table: a hash table that the compiler fills.

use super::few::is_same;
use super::table::COMMANDS;

/// Twice the number of commands and more, so that hardly any two contend for a place.
const SLOTS: usize = 2_048;

/// The marks of an empty slot; others hold the place in the table.
const EMPTY: u16 = u16::MAX;

/// No command's name is longer.
const LONGEST: usize = 24;

static PLACES: [u16; SLOTS] = places();

/// The place in the table of the command of this name, in capitals or not.
#[inline]
pub(super) fn look_up(name: &[u8]) -> Option<usize> {
    if name.len() > LONGEST {
        return None;
    }
    let mut slot = slot(name);
    loop {
        // An empty slot is no place in the table, and there is always one.
        let place = usize::from(*PLACES.get(slot)?);
        let known = COMMANDS.get(place)?.text.as_bytes();
        if is_same(name, known) || name.eq_ignore_ascii_case(known) {
            return Some(place);
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// Where the search for a name begins: FNV-1a over its letters as capitals, whatever else becomes of it.
const fn slot(name: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut rest = name;
    while let [byte, others @ ..] = rest {
        hash = (hash ^ (*byte & !0x20) as u32).wrapping_mul(0x0100_0193);
        rest = others;
    }
    (hash ^ (hash >> 15)) as usize % SLOTS
}

const fn places() -> [u16; SLOTS] {
    assert!(COMMANDS.len() < SLOTS / 2);
    let mut places = [EMPTY; SLOTS];
    let mut place = 0;
    while place < COMMANDS.len() {
        let name = COMMANDS[place].text.as_bytes();
        assert!(name.len() <= LONGEST);
        let mut slot = slot(name);
        while places[slot] != EMPTY {
            slot = (slot + 1) % SLOTS;
        }
        places[slot] = place as u16;
        place += 1;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_command_is_found_by_its_name_in_any_case_and_is_there_once() {
        let mut seen = HashSet::new();
        for (place, command) in COMMANDS.iter().enumerate() {
            assert!(seen.insert(command.text), "{} twice", command.text);
            for name in [command.text.to_owned(), command.text.to_ascii_lowercase()] {
                assert_eq!(look_up(name.as_bytes()), Some(place));
            }
            let longer = format!("{}X", command.text);
            let found = look_up(longer.as_bytes()).map(|place| COMMANDS[place].text);
            assert!(found.is_none_or(|found| found == longer), "{longer}");
        }
    }

    #[test]
    fn what_is_no_command_is_not_found() {
        for name in ["", "G", "GETT", "\u{e9}", "SET\0", &"X".repeat(1_000)] {
            assert!(look_up(name.as_bytes()).is_none(), "{name}");
        }
    }

    #[test]
    fn the_search_is_short() {
        let longest = COMMANDS
            .iter()
            .enumerate()
            .map(|(place, command)| {
                let at = PLACES.iter().position(|found| usize::from(*found) == place);
                (at.unwrap() + SLOTS - slot(command.text.as_bytes())) % SLOTS
            })
            .max();
        assert!(longest <= Some(4), "{longest:?}");
    }
}
