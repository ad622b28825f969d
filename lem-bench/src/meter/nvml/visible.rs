//! Which GPUs this process may use: `CUDA_VISIBLE_DEVICES`, as a pure function on what the driver lists.
//!
//! Must not read the environment nor call the driver.

/// A GPU as the driver lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedGpu {
    /// NVML's index: the order of PCI bus addresses.
    pub(super) index: u32,
    /// `GPU-…`.
    pub(super) uuid: String,
    /// The product's name.
    pub(super) name: String,
    /// `MIG-…` of each instance that it is divided into; empty when MIG is off.
    pub(super) instances: Vec<String>,
}

/// What of the list the process may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct VisibleGpus {
    /// Positions in the list, ascending, with the MIG instances by which a GPU was named.
    pub(super) cards: Vec<(usize, Vec<String>)>,
    /// What a reader of the result should know about the choice.
    pub(super) note: Option<String>,
}

/// Applies the value of `CUDA_VISIBLE_DEVICES` (`None`: not set, all are visible) to the list.
///
/// As CUDA does: entries are separated by commas; each is an index, a UUID or the beginning of one (`GPU-8932f937`),
/// or a MIG instance (`MIG-…`); `-1` ends the list; an empty text hides all. Unlike CUDA, which silently stops there,
/// an entry that fits nothing is an error. `order` is the value of `CUDA_DEVICE_ORDER`.
///
/// # Errors
/// A sentence that continues "`CUDA_VISIBLE_DEVICES` …".
pub(super) fn choose(visible: Option<&str>, order: Option<&str>, list: &[ListedGpu]) -> Result<VisibleGpus, String> {
    let Some(visible) = visible else {
        return Ok(VisibleGpus { cards: (0..list.len()).map(|at| (at, Vec::new())).collect(), note: None });
    };
    let mut chosen = VisibleGpus::default();
    let mut by_index = false;
    for entry in visible.split(',').map(str::trim) {
        if entry == "-1" || (entry.is_empty() && visible.trim().is_empty()) {
            break;
        }
        let (at, instance) = find(entry, list)?;
        by_index |= instance.is_none() && entry.bytes().all(|byte| byte.is_ascii_digit());
        match (chosen.cards.iter_mut().find(|(known, _)| *known == at), instance) {
            (Some((_, instances)), Some(instance)) if !instances.is_empty() && !instances.contains(&instance) => {
                instances.push(instance);
            }
            (Some(_), _) => return Err(format!("names {} twice, the second time as `{entry}`", list[at].uuid)),
            (None, instance) => chosen.cards.push((at, instance.into_iter().collect())),
        }
    }
    chosen.cards.sort_unstable();
    let mixed = list.windows(2).any(|pair| pair[0].name != pair[1].name);
    if by_index && mixed && order != Some("PCI_BUS_ID") {
        chosen.note = Some(
            "CUDA_VISIBLE_DEVICES names GPUs by index, the GPUs differ, and CUDA counts the fastest first unless \
             CUDA_DEVICE_ORDER=PCI_BUS_ID; here they are counted by PCI address: set it, or name them by UUID"
                .to_owned(),
        );
    }
    Ok(chosen)
}

/// The position of the GPU that `entry` names, and the MIG instance if it names one.
fn find(entry: &str, list: &[ListedGpu]) -> Result<(usize, Option<String>), String> {
    if !entry.is_empty() && entry.bytes().all(|byte| byte.is_ascii_digit()) {
        let at = entry.parse().ok().and_then(|index: u32| list.iter().position(|card| card.index == index));
        return at.map(|at| (at, None)).ok_or_else(|| format!("names GPU {entry}, but there {}", counted(list)));
    }
    if let Some(rest) = entry.strip_prefix("MIG-GPU-") {
        // Before driver 470: MIG-GPU-<uuid>/<GPU instance>/<compute instance>.
        let (card, _) = find(&format!("GPU-{}", rest.split('/').next().unwrap_or(rest)), list)?;
        return Ok((card, Some(entry.to_owned())));
    }
    let is_instance = entry.starts_with("MIG-");
    if !is_instance && !entry.starts_with("GPU-") {
        return Err(format!("holds `{entry}`, which is no index, no `GPU-…` and no `MIG-…`"));
    }
    let fits = |uuid: &String| uuid.get(..entry.len()).is_some_and(|head| head.eq_ignore_ascii_case(entry));
    let uuids = list.iter().enumerate().flat_map(|(at, card)| {
        let whole = (!is_instance).then_some((at, &card.uuid));
        whole.into_iter().chain(is_instance.then_some(&card.instances).into_iter().flatten().map(move |it| (at, it)))
    });
    let found: Vec<(usize, &String)> = uuids.filter(|(_, uuid)| fits(uuid)).collect();
    match found.as_slice() {
        [(at, uuid)] => Ok((*at, is_instance.then(|| (*uuid).clone()))),
        [] => Err(format!("names `{entry}`, but there {}", counted(list))),
        [(_, first), (_, second), ..] => {
            Err(format!("holds `{entry}`, which is the beginning of both {first} and {second}"))
        }
    }
}

fn counted(list: &[ListedGpu]) -> String {
    match list {
        [] => "is no GPU".to_owned(),
        [one] => format!("is only GPU {}, {}", one.index, one.uuid),
        several => {
            let names: Vec<_> = several.iter().map(|card| format!("{} ({})", card.index, card.uuid)).collect();
            format!("are GPUs {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(index: u32, uuid: &str, name: &str, instances: &[&str]) -> ListedGpu {
        let instances = instances.iter().map(ToString::to_string).collect();
        ListedGpu { index, uuid: uuid.to_owned(), name: name.to_owned(), instances }
    }

    fn list() -> Vec<ListedGpu> {
        vec![
            card(0, "GPU-aaaa1111", "A", &[]),
            card(1, "GPU-aaaa2222", "A", &["MIG-1f0e", "MIG-1f1e", "MIG-2000"]),
            card(2, "GPU-bbbb3333", "A", &[]),
        ]
    }

    fn positions(visible: &str) -> Result<Vec<usize>, String> {
        choose(Some(visible), None, &list()).map(|chosen| chosen.cards.into_iter().map(|(at, _)| at).collect())
    }

    #[test]
    fn unset_shows_all_and_empty_hides_all() {
        assert_eq!(choose(None, None, &list()).unwrap().cards.len(), 3);
        for hidden in ["", "  ", "-1", "-1,0"] {
            assert!(positions(hidden).unwrap().is_empty(), "{hidden:?}");
        }
    }

    #[test]
    fn gpus_are_named_by_index_uuid_or_the_beginning_of_one() {
        assert_eq!(positions("2,0").unwrap(), [0, 2]);
        assert_eq!(positions(" 1 ").unwrap(), [1]);
        assert_eq!(positions("GPU-bbbb3333").unwrap(), [2]);
        assert_eq!(positions("GPU-b,GPU-AAAA1").unwrap(), [0, 2]);
        assert_eq!(positions("1,-1,0").unwrap(), [1], "-1 ends the list");
    }

    #[test]
    fn what_fits_nothing_or_two_is_an_error_that_says_so() {
        let says = |visible: &str, what: &str| {
            let error = positions(visible).unwrap_err();
            assert!(error.contains(what), "{visible:?}: {error}");
        };
        says("3", "names GPU 3, but there are GPUs 0 (GPU-aaaa1111), 1 (");
        says("GPU-aaaa", "the beginning of both GPU-aaaa1111 and GPU-aaaa2222");
        says("GPU-cccc", "names `GPU-cccc`");
        says("MIG-3", "names `MIG-3`");
        says("0,,1", "holds ``");
        says("cuda:0", "holds `cuda:0`");
        says("0,0", "names GPU-aaaa1111 twice");
        says("0,GPU-aaaa1", "twice");
        says("99999999999", "names GPU 99999999999");
    }

    #[test]
    fn an_instance_chooses_its_card_once_and_is_remembered() {
        let chosen = |visible| choose(Some(visible), None, &list()).unwrap().cards;
        assert_eq!(chosen("MIG-2"), [(1, vec!["MIG-2000".to_owned()])]);
        assert_eq!(chosen("MIG-1f0,MIG-1f1"), [(1, vec!["MIG-1f0e".to_owned(), "MIG-1f1e".to_owned()])]);
        assert_eq!(chosen("MIG-GPU-bbbb3333/7/0"), [(2, vec!["MIG-GPU-bbbb3333/7/0".to_owned()])]);
        assert!(positions("MIG-1f").unwrap_err().contains("both"));
    }

    #[test]
    fn an_index_among_different_cards_gets_a_note_unless_the_order_is_set() {
        let mut mixed = list();
        mixed[0].name = "B".to_owned();
        let note = |visible, order| choose(Some(visible), order, &mixed).unwrap().note;
        assert!(note("0", None).is_some_and(|note| note.contains("CUDA_DEVICE_ORDER")));
        assert_eq!(note("0", Some("PCI_BUS_ID")), None);
        assert_eq!(note("GPU-b", None), None);
        assert_eq!(choose(Some("0"), None, &list()).unwrap().note, None);
    }
}
