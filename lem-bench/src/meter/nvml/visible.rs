//! Applies `CUDA_VISIBLE_DEVICES` to the list of GPUs.

/// A GPU as the driver lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedGpu {
    /// NVML's index, in the order of PCI bus addresses.
    pub index: u32,
    /// `GPU-…`.
    pub uuid: String,
    /// The product's name.
    pub name: String,
    /// `MIG-…` of each of its instances; empty if MIG is off.
    pub mig_instances: Vec<String>,
}

/// The GPUs of the list that the process may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct VisibleGpus {
    /// Positions in the list, ascending, with the MIG instances that were named.
    pub gpus: Vec<(usize, Vec<String>)>,
    /// A note about the selection for the result.
    pub note: Option<String>,
}

/// Applies the value of `CUDA_VISIBLE_DEVICES` to the list; `None` means that it is not set and all GPUs are visible.
///
/// The rules are CUDA's: entries are separated by commas; each is an index, a UUID or a prefix of one (`GPU-8932f937`), or
/// a MIG instance (`MIG-…`); `-1` ends the list; an empty text hides all. Unlike in CUDA, which silently ends the list
/// there, an entry without a match is an error. `order` is the value of `CUDA_DEVICE_ORDER`.
///
/// # Errors
/// A fragment that continues "`CUDA_VISIBLE_DEVICES` …".
pub(super) fn select(visible: Option<&str>, order: Option<&str>, list: &[ListedGpu]) -> Result<VisibleGpus, String> {
    let Some(visible) = visible else {
        return Ok(VisibleGpus { gpus: (0..list.len()).map(|index| (index, Vec::new())).collect(), note: None });
    };
    let mut selected = VisibleGpus::default();
    let mut by_index = false;
    for entry in visible.split(',').map(str::trim) {
        if entry == "-1" || (entry.is_empty() && visible.trim().is_empty()) {
            break;
        }
        let (position, instance) = find_gpu(entry, list)?;
        by_index |= instance.is_none() && entry.bytes().all(|byte| byte.is_ascii_digit());
        match (selected.gpus.iter_mut().find(|(known, _)| *known == position), instance) {
            (Some((_, instances)), Some(instance)) if !instances.is_empty() && !instances.contains(&instance) => {
                instances.push(instance);
            }
            (Some(_), _) => return Err(format!("names {} twice, the second time as `{entry}`", list[position].uuid)),
            (None, instance) => selected.gpus.push((position, instance.into_iter().collect())),
        }
    }
    selected.gpus.sort_unstable();
    let is_mixed = list.windows(2).any(|pair| pair[0].name != pair[1].name);
    if by_index && is_mixed && order != Some("PCI_BUS_ID") {
        selected.note = Some(
            "CUDA_VISIBLE_DEVICES names GPUs by index, and the GPUs differ: CUDA counts the fastest first unless \
             CUDA_DEVICE_ORDER=PCI_BUS_ID, lem-bench counts by PCI address; set CUDA_DEVICE_ORDER, or name GPUs by UUID"
                .to_owned(),
        );
    }
    Ok(selected)
}

/// Returns the position of the GPU that `entry` names, and the MIG instance if it names one.
fn find_gpu(entry: &str, list: &[ListedGpu]) -> Result<(usize, Option<String>), String> {
    if !entry.is_empty() && entry.bytes().all(|byte| byte.is_ascii_digit()) {
        let position = entry.parse().ok().and_then(|index: u32| list.iter().position(|gpu| gpu.index == index));
        let unknown = || format!("names GPU {entry}, but {}", available(list));
        return position.map(|position| (position, None)).ok_or_else(unknown);
    }
    if let Some(rest) = entry.strip_prefix("MIG-GPU-") {
        // Before driver 470: MIG-GPU-<uuid>/<GPU instance>/<compute instance>.
        let (position, _) = find_gpu(&format!("GPU-{}", rest.split('/').next().unwrap_or(rest)), list)?;
        return Ok((position, Some(entry.to_owned())));
    }
    let is_instance = entry.starts_with("MIG-");
    if !is_instance && !entry.starts_with("GPU-") {
        return Err(format!("contains `{entry}`, which is not an index, `GPU-…` or `MIG-…`"));
    }
    let matches = |uuid: &String| uuid.get(..entry.len()).is_some_and(|head| head.eq_ignore_ascii_case(entry));
    let uuids = list.iter().enumerate().flat_map(|(position, gpu)| {
        let uuids = if is_instance { gpu.mig_instances.as_slice() } else { std::slice::from_ref(&gpu.uuid) };
        uuids.iter().map(move |uuid| (position, uuid))
    });
    let found: Vec<(usize, &String)> = uuids.filter(|(_, uuid)| matches(uuid)).collect();
    match found.as_slice() {
        [(position, uuid)] => Ok((*position, is_instance.then(|| (*uuid).clone()))),
        [] => Err(format!("names `{entry}`, but {}", available(list))),
        [(_, first), (_, second), ..] => {
            Err(format!("contains `{entry}`, which is a prefix of both {first} and {second}"))
        }
    }
}

fn available(list: &[ListedGpu]) -> String {
    match list {
        [] => "the list of GPUs is empty".to_owned(),
        [gpu] => format!("there is only GPU {} ({})", gpu.index, gpu.uuid),
        gpus => {
            let names: Vec<_> = gpus.iter().map(|gpu| format!("{} ({})", gpu.index, gpu.uuid)).collect();
            format!("there are GPUs {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(index: u32, uuid: &str, name: &str, mig_instances: &[&str]) -> ListedGpu {
        let mig_instances = mig_instances.iter().map(ToString::to_string).collect();
        ListedGpu { index, uuid: uuid.to_owned(), name: name.to_owned(), mig_instances }
    }

    fn list() -> Vec<ListedGpu> {
        vec![
            gpu(0, "GPU-aaaa1111", "A", &[]),
            gpu(1, "GPU-aaaa2222", "A", &["MIG-1f0e", "MIG-1f1e", "MIG-2000"]),
            gpu(2, "GPU-bbbb3333", "A", &[]),
        ]
    }

    fn positions(visible: &str) -> Result<Vec<usize>, String> {
        select(Some(visible), None, &list()).map(|selected| selected.gpus.into_iter().map(|(index, _)| index).collect())
    }

    #[test]
    fn unset_shows_all_empty_hides_all() {
        assert_eq!(select(None, None, &list()).unwrap().gpus.len(), 3);
        for hidden in ["", "  ", "-1", "-1,0"] {
            assert!(positions(hidden).unwrap().is_empty(), "{hidden:?}");
        }
    }

    #[test]
    fn selects_by_index_uuid_and_prefix() {
        assert_eq!(positions("2,0").unwrap(), [0, 2]);
        assert_eq!(positions(" 1 ").unwrap(), [1]);
        assert_eq!(positions("GPU-bbbb3333").unwrap(), [2]);
        assert_eq!(positions("GPU-b,GPU-AAAA1").unwrap(), [0, 2]);
        assert_eq!(positions("1,-1,0").unwrap(), [1], "-1 ends the list");
    }

    #[test]
    fn rejects_unknown_and_ambiguous_entries() {
        let error = |visible: &str| positions(visible).unwrap_err();
        insta::assert_snapshot!(
            error("3"),
            @"names GPU 3, but there are GPUs 0 (GPU-aaaa1111), 1 (GPU-aaaa2222), 2 (GPU-bbbb3333)"
        );
        insta::assert_snapshot!(
            error("GPU-aaaa"),
            @"contains `GPU-aaaa`, which is a prefix of both GPU-aaaa1111 and GPU-aaaa2222"
        );
        insta::assert_snapshot!(
            error("GPU-cccc"),
            @"names `GPU-cccc`, but there are GPUs 0 (GPU-aaaa1111), 1 (GPU-aaaa2222), 2 (GPU-bbbb3333)"
        );
        insta::assert_snapshot!(error("0,,1"), @"contains ``, which is not an index, `GPU-…` or `MIG-…`");
        insta::assert_snapshot!(error("cuda:0"), @"contains `cuda:0`, which is not an index, `GPU-…` or `MIG-…`");
        insta::assert_snapshot!(error("0,0"), @"names GPU-aaaa1111 twice, the second time as `0`");
        insta::assert_snapshot!(error("0,GPU-aaaa1"), @"names GPU-aaaa1111 twice, the second time as `GPU-aaaa1`");
        assert!(error("MIG-3").starts_with("names `MIG-3`, but"), "{}", error("MIG-3"));
        assert!(error("99999999999").starts_with("names GPU 99999999999, but"), "{}", error("99999999999"));
    }

    #[test]
    fn selects_mig_instances() {
        let selected = |visible| select(Some(visible), None, &list()).unwrap().gpus;
        assert_eq!(selected("MIG-2"), [(1, vec!["MIG-2000".to_owned()])]);
        assert_eq!(selected("MIG-1f0,MIG-1f1"), [(1, vec!["MIG-1f0e".to_owned(), "MIG-1f1e".to_owned()])]);
        assert_eq!(selected("MIG-GPU-bbbb3333/7/0"), [(2, vec!["MIG-GPU-bbbb3333/7/0".to_owned()])]);
        assert!(positions("MIG-1f").unwrap_err().contains("both"));
    }

    #[test]
    fn notes_ambiguous_index_order() {
        let mut mixed = list();
        mixed[0].name = "B".to_owned();
        let note = |visible, order| select(Some(visible), order, &mixed).unwrap().note;
        assert!(note("0", None).is_some_and(|note| note.contains("CUDA_DEVICE_ORDER")));
        assert_eq!(note("0", Some("PCI_BUS_ID")), None);
        assert_eq!(note("GPU-b", None), None);
        assert_eq!(select(Some("0"), None, &list()).unwrap().note, None);
    }
}
