package events

import (
	"encoding/json"
	"slices"
)

// InForce is what a worker makes of an app's settings.
type InForce struct {
	Settings AppSettings
	Unknown  []string // the settings that this version does not know: it ignores them
	Bad      []*Error // what it can't read; no error holds a secret
}

// never is a time before which every token was issued: a revocation whose time can't be read revokes all of them.
const never = Time(253_402_300_799_999) // 9999-12-31T23:59:59.999Z

// AppSettingsInForce reads an app's settings as a worker does, which may be older than the program that wrote them. last
// is what was in force before. What can't be read never keeps a key or a user in that were to be locked out:
//
//   - A setting that this version does not know is ignored, and so is nothing else.
//   - A limit that can't be read stays as it was. All other settings are in force.
//   - Of token_keys and origins each entry counts by itself: those that can't be read are not in force, and the others
//     are, also above the limits on how many there may be. So a key that was removed is gone. Keys that share a kid are
//     not in force.
//   - A revocation whose time can't be read revokes every token of its user. If not_before as a whole can't be read, no
//     token key is in force until it is repaired, as nothing says who is revoked.
//   - What is no JSON object changes nothing.
func AppSettingsInForce(data []byte, last AppSettings) InForce {
	members, bad := readObject(data, MaxAppSettings)
	if bad != nil {
		return InForce{Settings: last, Bad: []*Error{bad}}
	}
	f := InForce{}
	for _, name := range appFields() {
		f.field(name, members, last)
	}
	for _, m := range members {
		if !slices.Contains(appFields(), m.name) && !slices.Contains(f.Unknown, m.name) {
			f.Unknown = append(f.Unknown, m.name)
		}
	}
	if slices.ContainsFunc(members, func(m member) bool { return m.name == "not_before" }) && f.Settings.NotBefore == nil {
		f.Settings.TokenKeys, f.Settings.NotBefore = nil, last.NotBefore
	}
	return f
}

// field reads one setting.
func (f *InForce) field(name string, members []member, last AppSettings) {
	var raw json.RawMessage
	for _, m := range members {
		switch {
		case m.name != name:
		case raw != nil:
			f.bad(invalid("%s: given twice", name))
			f.Settings.keep(name, last)
			return
		default:
			raw = m.raw
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

func (f *InForce) bad(why *Error) { f.Bad = append(f.Bad, why) }

// keep leaves a limit as it was. Keys, origins and revocations are never kept, as one of them may have been taken away.
func (s *AppSettings) keep(name string, last AppSettings) {
	if name == "service_call_prefix" {
		s.ServiceCallPrefix = last.ServiceCallPrefix
	}
	for _, n := range appNumbers() {
		if n.name == name {
			*n.at(s) = *n.at(&last)
		}
	}
}

// readableKeys lists the keys that can be read, without those that share a kid.
func readableKeys(raw json.RawMessage) (keys []TokenKey) {
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

func readableOrigins(raw json.RawMessage) (origins []string) {
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

// readableRevocations gives nil if it is no object.
func readableRevocations(raw json.RawMessage) map[string]Time {
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
		if s, err := readString(m.raw); err != nil || t.UnmarshalText([]byte(s)) != nil {
			t = never
		}
		times[m.name] = max(t, times[m.name])
	}
	return times
}
