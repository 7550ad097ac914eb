package call

import (
	"maps"
	"slices"

	"ringline.io/ringline/events"
)

// keepCustom sets what the call holds of custom data: the entries that a callee refers to. The command's own is dropped where
// it does not fit; an add has made room for its own before.
func (d *draft) keepCustom() {
	d.call.Custom = d.referred()
	if !d.last.OldSizes() && customLen(d.call.Custom) > events.MaxCustom {
		d.drop(d.call.Seq)
	}
}

// makeRoom drops entries for that of an add, the oldest first; not those of callees who ring.
func (d *draft) makeRoom() *events.Error {
	d.call.Custom = d.referred()
	if d.last.OldSizes() {
		return nil
	}
	size := customLen(d.call.Custom)
	for _, seq := range slices.Sorted(maps.Keys(d.call.Custom)) {
		if size <= events.MaxCustom {
			return nil
		}
		if seq < d.call.Seq && !d.rings(seq) {
			size -= events.WrittenLen(d.call.Custom[seq])
			d.drop(seq)
		}
	}
	if size > events.MaxCustom {
		return events.Errorf(events.CodeInvalidArgument,
			"custom_data: callees who ring hold at most %d bytes of it in a call, with this %d", events.MaxCustom, size)
	}
	return nil
}

// referred gives the entries that a callee refers to. The last call keeps its own map.
func (d *draft) referred() map[int]string {
	var kept map[int]string
	for _, x := range d.call.Callees {
		data, there := d.call.Custom[x.CustomSeq]
		if x.CustomSeq == d.call.Seq && x.CustomSeq != events.FirstSeq {
			data, there = d.cmd.CustomData, true
		}
		if !there {
			continue
		}
		if kept == nil {
			kept = map[int]string{}
		}
		kept[x.CustomSeq] = data
	}
	return kept
}

// drop removes an entry.
func (d *draft) drop(seq int) {
	delete(d.call.Custom, seq)
	for i := range d.call.Callees {
		if x := &d.call.Callees[i]; x.CustomSeq == seq {
			x.CustomSeq = 0
		}
	}
	if len(d.call.Custom) == 0 {
		d.call.Custom = nil
	}
}

// rings says whether the entry applies to a callee who rings.
func (d *draft) rings(seq int) bool {
	return slices.ContainsFunc(d.call.Callees, func(x events.Callee) bool { return x.CustomSeq == seq && x.Pending() })
}

func customLen(custom map[int]string) (n int) {
	for _, data := range custom {
		n += events.WrittenLen(data)
	}
	return n
}
