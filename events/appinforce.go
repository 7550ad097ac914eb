package events

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"ringline.io/ringline/events/jsonobject"
)

// InForce is the result of AppSettingsInForce.
type InForce struct {
	Settings AppSettings
	Unknown  []string // settings that this version does not know and ignores
	Bad      []error  // settings that can't be read; the errors contain no secrets
}

// never is later than the issue time of any token. A revocation with an unreadable time therefore revokes all tokens.
const never = Time(253_402_300_799_999) // 9999-12-31T23:59:59.999Z

// AppSettingsInForce decodes an app's settings leniently, because the program that wrote them may be newer than this
// worker. last holds the settings in force before. An unreadable value never keeps a removed key or a revoked user
// valid:
//
//   - A setting that this version does not know is ignored. Only unknown settings are ignored.
//   - A limit that can't be read keeps its value from last. All other settings take effect.
//   - Entries of token_keys and origins are read one by one. Only readable entries take effect, even if there are
//     more than the limit. So a removed key is gone. Keys that share a kid do not take effect.
//   - A revocation with an unreadable time revokes all tokens of its user. If not_before as a whole can't be read,
//     the revoked users are unknown: no token key is in force until it is repaired.
//   - If the value is not a JSON object, last stays in force.
func AppSettingsInForce(data []byte, last AppSettings) InForce {
	members, bad := readObject(data, MaxAppSettings)
	if bad != nil {
		return InForce{Settings: last, Bad: []error{bad}}
	}
	f := InForce{}
	for _, name := range appFields() {
		f.field(name, members, last)
	}
	for _, m := range members {
		if !slices.Contains(appFields(), m.Name) && !slices.Contains(f.Unknown, m.Name) {
			f.Unknown = append(f.Unknown, m.Name)
		}
	}
	if slices.ContainsFunc(members, func(m jsonobject.Member) bool { return m.Name == "not_before" }) && f.Settings.NotBefore == nil {
		f.Settings.TokenKeys, f.Settings.NotBefore = nil, last.NotBefore
	}
	return f
}

func (f *InForce) field(name string, members []jsonobject.Member, last AppSettings) {
	var raw jsontext.Value
	for _, m := range members {
		switch {
		case m.Name != name:
		case raw != nil:
			f.bad(invalid("%s: given twice", name))
			f.Settings.keep(name, last)
			return
		default:
			raw = m.Value
		}
	}
	if raw == nil {
		return
	}
	bad := f.Settings.set(name, raw)
	if bad == nil {
		return
	}
	f.bad(bad)
	switch name {
	case "token_keys":
		f.Settings.TokenKeys = readableKeys(raw)
	case "origins":
		f.Settings.Origins = readableOrigins(raw)
	case "not_before":
		f.Settings.NotBefore = readableRevocations(raw)
	default:
		f.Settings.keep(name, last)
	}
}

func (f *InForce) bad(why error) { f.Bad = append(f.Bad, why) }

// keep copies a limit from last. It never copies keys, origins or revocations, because an entry may have been
// removed.
func (s *AppSettings) keep(name string, last AppSettings) {
	switch name {
	case "service_call_prefix":
		s.ServiceCallPrefix = last.ServiceCallPrefix
	case "end_when_alone":
		s.EndWhenAlone = last.EndWhenAlone
	case "room_id_from":
		s.RoomIDFrom = last.RoomIDFrom
	}
	for _, n := range appNumbers() {
		if n.name == name {
			n.keep(s, last)
		}
	}
}

// readableKeys returns the keys that can be read, except keys that share a kid.
func readableKeys(raw jsontext.Value) (keys []TokenKey) {
	items, bad := readItems("token_keys", raw, MaxAppSettings)
	if bad != nil {
		return nil
	}
	times := map[string]int{}
	for _, item := range items {
		if k, bad := readTokenKey("token_keys", item); bad == nil {
			keys = append(keys, k)
			times[k.KID]++
		}
	}
	return slices.DeleteFunc(keys, func(k TokenKey) bool { return times[k.KID] > 1 })
}

func readableOrigins(raw jsontext.Value) (origins []string) {
	items, bad := readItems("origins", raw, MaxAppSettings)
	if bad != nil {
		return nil
	}
	for _, item := range items {
		s, err := readString(item)
		if err == nil && CheckOrigin("origins", s) == nil && !slices.Contains(origins, s) {
			origins = append(origins, s)
		}
	}
	return origins
}

// readableRevocations returns nil if raw is not an object.
func readableRevocations(raw jsontext.Value) map[string]Time {
	if raw[0] != '{' {
		return nil
	}
	members, bad := readObject(raw, MaxAppSettings)
	if bad != nil {
		return nil
	}
	times := map[string]Time{}
	for _, m := range members {
		t := never
		if s, err := readString(m.Value); err != nil || t.UnmarshalText([]byte(s)) != nil {
			t = never
		}
		times[m.Name] = max(t, times[m.Name])
	}
	return times
}
