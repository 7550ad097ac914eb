package schemas_test

import (
	"fmt"
	"strings"

	"ringline.io/ringline/events"
)

// limit holds the limits that a schema must have for a member, whatever object the member is in.
type limit object

// limits lists the limits of members by hand. commandLimits has those of all other members that are fields of a command.
func limits() map[string]limit {
	token := limit{"pattern": fmt.Sprintf("^[A-Za-z0-9_-]{1,%d}$", events.MaxToken)}
	name := limit{"minLength": 1, "maxLength": events.MaxName, "pattern": `^[^\x00-\x1f\x7f-\x9f]*$`}
	one := limit{"minimum": 1}
	tokenIn := fmt.Sprintf("[A-Za-z0-9_-]{1,%d}", events.MaxToken)
	return map[string]limit{
		"app": token, "merged_into": token, "causationid": token, "subject": token, "calls[]": token,
		"invited_by": name, "callees[]": name,
		"user_name":  {"maxLength": events.MaxUserName, "pattern": name["pattern"]}, // may be empty
		"avatar":     {"maxLength": events.MaxAvatar, "pattern": events.AvatarPattern},
		"custom{}":   {"maxLength": events.MaxCustomData},
		"custom_seq": one, "seq": one, "changed_seq": one, "attempt": one,
		"ring_remaining_ms": {"minimum": 0},
		"message":           {},
		"sequence":          {"pattern": "^[0-9]{10}$"},
		"source":            {"pattern": "^/ringline/" + tokenIn + "$"},

		"call/id":         {"pattern": "^" + tokenIn + "-[1-9][0-9]*$"},
		"notification/id": {"pattern": "^" + tokenIn + "-[1-9][0-9]*-[0-9]+$"},
		"part/id":         token,
		"part/entry.seq":  {"minimum": 0},

		"capacity":             {"minimum": 1, "maximum": events.MaxCapacity},
		"max_callees":          {"minimum": 1, "maximum": events.MaxCallees},
		"max_duration_s":       {"minimum": 1, "maximum": events.MaxDurationS},
		"commands_per_s":       {"minimum": 1, "maximum": events.MaxCommandsPerS},
		"bytes_per_s":          {"minimum": events.MinBytesPerS, "maximum": events.MaxBytesPerS},
		"api_slots":            {"minimum": 1, "maximum": events.MaxAPISlots},
		"pair_invites_per_min": {"minimum": 1, "maximum": events.MaxPairInvitesPerMin},
		"ringing_per_caller":   {"minimum": 1, "maximum": events.MaxRingingPerCaller},
		"reach_s":              {"minimum": 0, "maximum": events.MaxReachS},
		"lost_ringing_s":       {"minimum": 0, "maximum": events.MaxLostS},
		"lost_active_s":        {"minimum": 0, "maximum": events.MaxLostS},
		"lost_away_s":          {"minimum": 0, "maximum": events.MaxLostAwayS},
		"service_call_prefix":  {"maxLength": events.MaxCallPrefix, "pattern": "^[A-Za-z0-9_-]+$"},

		"device": {"maxLength": events.MaxName, "pattern": name["pattern"]}, "showing[]": token, "session": token,
		"transport": {}, "edge": {}, "session/code": {"minimum": 0}, "session/reason": {},

		"kid":        token,
		"secret":     {"minLength": 43, "maxLength": 683, "pattern": "^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$"},
		"public_key": {"maxLength": events.MaxPublicKey, "pattern": "^-----BEGIN PUBLIC KEY-----"},
		"origins[]":  {"maxLength": events.MaxOrigin, "pattern": events.OriginPattern},
	}
}

// limits compares the limits of a text or number, which must be exactly those for its name.
func (h *holder) limits(where string, s object) {
	folder, member := where[:strings.IndexAny(where, "/.[")], where[strings.LastIndexByte(where, '.')+1:]
	all := limits()
	want, known := all[where]
	if !known {
		want, known = all[folder+"/"+member]
	}
	if !known {
		want, known = all[member]
	}
	if !known {
		want, known = commandLimits()[member]
	}
	if !known {
		h.add("%s: no limits are declared", where)
		return
	}
	for _, word := range limitWords() {
		if got, is := s[word], want[word]; fmt.Sprint(got) != fmt.Sprint(is) && !h.unsettable(word, got, is) {
			h.add("%s: %s is %v, want %v", where, word, got, is)
		}
	}
}

func limitWords() []string {
	return []string{"minLength", "maxLength", "pattern", "minimum", "maximum"}
}

// unsettable reports whether a missing minLength is correct: input of Ringline may contain empty strings.
func (h *holder) unsettable(word string, got, want any) bool {
	return h.typ.strict && !h.must && word == "minLength" && got == nil && fmt.Sprint(want) == "1"
}
