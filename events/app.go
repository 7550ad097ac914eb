package events

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// AppSettings overrides the defaults for one app and holds the settings of its client sessions. It is the value of
// the app's key in RINGLINE_APPS. A zero field keeps its default. Without token keys the app accepts no client
// sessions.
type AppSettings struct {
	Capacity     int `json:"capacity,omitzero"`       // maximum number of calls on a user's line
	RingTimeoutS int `json:"ring_timeout_s,omitzero"` // for an invite or add that sets none
	MaxCallees   int `json:"max_callees,omitzero"`    // per call, including callees who are no longer in it
	MaxDurationS int `json:"max_duration_s,omitzero"` // of a call, from its creation

	CommandsPerS      int    `json:"commands_per_s,omitzero"`       // for the whole app
	BytesPerS         int    `json:"bytes_per_s,omitzero"`          // commands and stored transitions, for the whole app
	APISlots          int    `json:"api_slots,omitzero"`            // concurrent requests in one api worker
	PairInvitesPerMin int    `json:"pair_invites_per_min,omitzero"` // from the sessions of one caller to one callee
	RingingPerCaller  int    `json:"ringing_per_caller,omitzero"`   // callees that ring at the same time for one user's sessions
	ServiceCallPrefix string `json:"service_call_prefix,omitempty"` // call ids with this prefix are reserved for the backend

	ReachS int `json:"reach_s,omitzero"` // for a device of a callee to confirm that it rings; 0 is no limit

	LostRingingS *int `json:"lost_ringing_s,omitempty"` // a caller without a session leaves a ringing call; 0 is never
	LostActiveS  *int `json:"lost_active_s,omitempty"`  // a party without a session leaves an active call; 0 is never
	LostAwayS    *int `json:"lost_away_s,omitempty"`    // the same for a device that is away, in both; 0 is never

	EndWhenAlone EndWhenAlone `json:"end_when_alone,omitempty"` // unset is AloneAtLastRing
	RoomIDFrom   RoomIDFrom   `json:"room_id_from,omitempty"`   // unset is RoomIDFromAny

	TokenKeys []TokenKey      `json:"token_keys,omitempty"` // verify the tokens of the app's users, newest last
	Origins   []string        `json:"origins,omitempty"`    // origins of the pages that may open sessions
	NotBefore map[string]Time `json:"not_before,omitempty"` // by user id: tokens issued before this time are revoked
}

// EndWhenAlone says when an active call ends in which only one party is left while callees ring.
type EndWhenAlone string

// The values of EndWhenAlone.
const (
	AloneAtLastRing EndWhenAlone = "last_ring"
	AloneNow        EndWhenAlone = "now"
)

// EndsWhenAlone lists the values of EndWhenAlone.
func EndsWhenAlone() []EndWhenAlone { return []EndWhenAlone{AloneAtLastRing, AloneNow} }

// RoomIDFrom says which senders of an invitation may choose its room_id.
type RoomIDFrom string

// The values of RoomIDFrom.
const (
	RoomIDFromAny     RoomIDFrom = "any"
	RoomIDFromService RoomIDFrom = "service"
)

// RoomIDsFrom lists the values of RoomIDFrom.
func RoomIDsFrom() []RoomIDFrom { return []RoomIDFrom{RoomIDFromAny, RoomIDFromService} }

// Limits of an app's settings. MaxDurationS is one hour below the TTL of lines (18 h). MaxAppSettings has room for
// MaxNotBefore entries with the longest ids. It is well below the maximum message size of NATS.
const (
	MaxCapacity    = 50
	MaxCallees     = 50
	MaxDurationS   = 17 * 60 * 60
	MaxTokenKeys   = 8
	MaxSecrets     = 2 // of the token keys, how many may be HS256: the old and the new one during rotation
	MaxOrigins     = 50
	MaxNotBefore   = 1000
	MaxAppSettings = 512 << 10 // bytes

	MaxCommandsPerS      = 1_000_000
	MinBytesPerS         = 64 << 10
	MaxBytesPerS         = 1 << 30
	MaxAPISlots          = 4096
	MaxPairInvitesPerMin = 6000
	MaxRingingPerCaller  = MaxCapacity * MaxCallees
	MaxCallPrefix        = 32 // bytes
	MinReachS            = 5
	MaxReachS            = 60
	MaxLostS             = 300
	MaxLostAwayS         = 12 * 60 * 60
)

// Defaults of an app that does not override them.
const (
	DefaultCommandsPerS      = 500
	DefaultBytesPerS         = 2 << 20
	DefaultAPISlots          = 512
	DefaultPairInvitesPerMin = 6
	DefaultRingingPerCaller  = 50
	DefaultServiceCallPrefix = "s_"
	DefaultLostRingingS      = 20
	DefaultLostActiveS       = 60
	DefaultLostAwayS         = 3600
)

// appFields lists the field names of an app's settings.
func appFields() (list []string) {
	for _, n := range appNumbers() {
		list = append(list, n.name)
	}
	return append(list, "service_call_prefix", "end_when_alone", "room_id_from", "token_keys", "origins", "not_before")
}

// appNumber describes a numeric setting.
type appNumber struct {
	name        string
	least, most int
	orZero      bool // 0 is also valid, and is the default
	at          func(*AppSettings) *int
	optional    func(*AppSettings) **int // instead of at, if 0 differs from unset
}

func (n appNumber) set(s *AppSettings, v int) {
	if n.optional != nil {
		*n.optional(s) = &v
		return
	}
	*n.at(s) = v
}

func (n appNumber) read(raw jsontext.Value) (int, error) {
	if !n.orZero {
		return readInt(raw, n.least, n.most)
	}
	v, err := readInt(raw, 0, n.most)
	if err == nil && v != 0 && v < n.least {
		return 0, fmt.Errorf("must be 0 or %d to %d, got %d", n.least, n.most, v)
	}
	return v, err
}

// keep copies the number from last.
func (n appNumber) keep(s *AppSettings, last AppSettings) {
	if n.optional != nil {
		*n.optional(s) = *n.optional(&last)
		return
	}
	*n.at(s) = *n.at(&last)
}

func appNumbers() []appNumber {
	return []appNumber{
		{name: "capacity", least: 1, most: MaxCapacity, at: func(s *AppSettings) *int { return &s.Capacity }},
		{name: "ring_timeout_s", least: MinRingTimeoutS, most: MaxRingTimeoutS, at: func(s *AppSettings) *int { return &s.RingTimeoutS }},
		{name: "max_callees", least: 1, most: MaxCallees, at: func(s *AppSettings) *int { return &s.MaxCallees }},
		{name: "max_duration_s", least: 1, most: MaxDurationS, at: func(s *AppSettings) *int { return &s.MaxDurationS }},
		{name: "commands_per_s", least: 1, most: MaxCommandsPerS, at: func(s *AppSettings) *int { return &s.CommandsPerS }},
		{name: "bytes_per_s", least: MinBytesPerS, most: MaxBytesPerS, at: func(s *AppSettings) *int { return &s.BytesPerS }},
		{name: "api_slots", least: 1, most: MaxAPISlots, at: func(s *AppSettings) *int { return &s.APISlots }},
		{name: "pair_invites_per_min", least: 1, most: MaxPairInvitesPerMin, at: func(s *AppSettings) *int { return &s.PairInvitesPerMin }},
		{name: "ringing_per_caller", least: 1, most: MaxRingingPerCaller, at: func(s *AppSettings) *int { return &s.RingingPerCaller }},
		{name: "reach_s", least: MinReachS, most: MaxReachS, orZero: true, at: func(s *AppSettings) *int { return &s.ReachS }},
		{name: "lost_ringing_s", most: MaxLostS, optional: func(s *AppSettings) **int { return &s.LostRingingS }},
		{name: "lost_active_s", most: MaxLostS, optional: func(s *AppSettings) **int { return &s.LostActiveS }},
		{name: "lost_away_s", most: MaxLostAwayS, optional: func(s *AppSettings) **int { return &s.LostAwayS }},
	}
}

// ReadAppSettings decodes an app's settings strictly: an ignored misspelling would be a limit that is never enforced.
// Its errors contain no secrets.
func ReadAppSettings(data []byte) (AppSettings, error) {
	var s AppSettings
	members, bad := readObject(data, MaxAppSettings)
	if bad == nil {
		bad = readFields("an app", members, appFields(), s.set)
	}
	return s, bad
}

func (s *AppSettings) set(name string, raw jsontext.Value) (bad error) {
	switch name {
	case "service_call_prefix":
		s.ServiceCallPrefix, bad = readCallPrefix(raw)
	case "end_when_alone":
		s.EndWhenAlone, bad = readWord(name, raw, EndsWhenAlone())
	case "room_id_from":
		s.RoomIDFrom, bad = readWord(name, raw, RoomIDsFrom())
	case "token_keys":
		s.TokenKeys, bad = readTokenKeys(raw)
	case "origins":
		s.Origins, bad = readOrigins(raw)
	case "not_before":
		s.NotBefore, bad = readNotBefore(raw)
	default:
		return s.setNumber(name, raw)
	}
	return bad
}

func (s *AppSettings) setNumber(name string, raw jsontext.Value) error {
	for _, n := range appNumbers() {
		if n.name != name {
			continue
		}
		v, err := n.read(raw)
		if err != nil {
			return invalid("%s: %v", name, err)
		}
		n.set(s, v)
	}
	return nil
}

func readCallPrefix(raw jsontext.Value) (string, error) {
	prefix, err := readString(raw)
	if err != nil {
		return "", invalid("service_call_prefix: %v", err)
	}
	if !isToken(prefix) || len(prefix) > MaxCallPrefix {
		return "", invalid("service_call_prefix: must be 1 to %d characters of A-Z a-z 0-9 _ -, got %s", MaxCallPrefix, quoted(prefix))
	}
	return prefix, nil
}

// readWord reads one word of a closed set.
func readWord[T ~string](name string, raw jsontext.Value, words []T) (T, error) {
	s, err := readString(raw)
	if err != nil {
		return "", invalid("%s: %v", name, err)
	}
	if !slices.Contains(words, T(s)) {
		return "", invalid("%s: must be one of %v, got %s", name, words, quoted(s))
	}
	return T(s), nil
}

// readItems splits an array into its items. It keeps each item as it is in the input, as jsonobject.Read does.
func readItems(field string, raw jsontext.Value, most int) (items []jsontext.Value, bad error) {
	if raw.Kind() != jsontext.KindBeginArray ||
		json.Unmarshal(raw, &items, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return nil, invalid("%s: must be an array, got %s", field, kindOf(raw))
	}
	if len(items) > most {
		return nil, invalid("%s: must have at most %d entries, got %d", field, most, len(items))
	}
	return items, nil
}

func readNotBefore(raw jsontext.Value) (map[string]Time, error) {
	if raw[0] != '{' {
		return nil, invalid("not_before: must be an object of user ids and times, got %s", kindOf(raw))
	}
	members, bad := readObject(raw, MaxAppSettings)
	if bad != nil {
		return nil, bad
	}
	if len(members) > MaxNotBefore {
		return nil, invalid("not_before: must have at most %d users, got %d", MaxNotBefore, len(members))
	}
	times := make(map[string]Time, len(members))
	for _, m := range members {
		where := fmt.Sprintf("not_before[%s]", quoted(m.Name))
		if bad := CheckName("not_before: user id", m.Name); bad != nil {
			return nil, bad
		}
		if _, twice := times[m.Name]; twice {
			return nil, invalid("%s: given twice", where)
		}
		t, err := readTime(m.Value)
		if err != nil {
			return nil, invalid("%s: %v", where, err)
		}
		times[m.Name] = t
	}
	return times, nil
}

// readTime reads a time, which must have exactly the format that Ringline writes.
func readTime(raw jsontext.Value) (t Time, err error) {
	s, err := readString(raw)
	if err != nil {
		return 0, err
	}
	if t.UnmarshalText([]byte(s)) != nil || t.String() != s {
		return 0, fmt.Errorf("must be a time such as 2026-11-24T10:00:07.250Z, got %s", quoted(s))
	}
	return t, nil
}
