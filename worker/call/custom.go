package call

import (
	"maps"
	"slices"

	"ringline.io/ringline/events"
)

// keepCustom keeps the entries of custom data that a callee refers to. It drops the entry of this command if the entries
// exceed events.MaxCustom. For an add, makeRoom has already made room.
func (d *draft) keepCustom() {
	d.call.Custom = d.referred()
	if !d.last.OldSizes() && customLen(d.call.Custom) > events.MaxCustom {
		d.drop(d.call.Seq)
	}
}

// makeRoom drops the oldest entries until the entry of an add fits. It keeps the entries of pending callees, and
// refuses the add if these leave too little room.
func (d *draft) makeRoom() Outcome {
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
		return refuse(events.CodeInvalidArgument,
			"custom_data: ringing callees may have at most %d bytes in a call, with this command %d", events.MaxCustom, size)
	}
	return nil
}

// referred returns the entries that a callee refers to. It builds a new map, because the last call keeps its own.
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

// drop removes an entry and the references to it.
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

// rings reports whether a pending callee refers to the entry.
func (d *draft) rings(seq int) bool {
	return slices.ContainsFunc(d.call.Callees, func(x events.Callee) bool { return x.CustomSeq == seq && x.Pending() })
}

func customLen(custom map[int]string) (n int) {
	for _, data := range custom {
		n += events.WrittenLen(data)
	}
	return n
}
