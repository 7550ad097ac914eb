package call_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

// changing lists the fields of a call that later transitions change. All others are set once, AnsweredAt by the first accept.
func changing() []string {
	return []string{"State", "Seq", "Caller", "Callees", "Custom", "AnsweredAt", "EndedAt", "EndReason", "EndedBy"}
}

// checkFields: a call has the fields of its invitation, and keeps them. AnsweredAt does not change after the first accept, and
// the caller does not change after they have left.
func (w *world) checkFields(before, after events.Call, cmd events.Command) {
	old := reflect.ValueOf(before)
	if before.Seq == 0 {
		if cmd.RoomID == "" {
			cmd.RoomID = cmd.CallID
		}
		old = reflect.ValueOf(cmd)
	}
	for f, v := range reflect.ValueOf(after).Fields() {
		was := old.FieldByName(f.Name)
		if slices.Contains(changing(), f.Name) || !was.IsValid() {
			continue
		}
		if !reflect.DeepEqual(was.Interface(), v.Interface()) {
			w.failf("%s of the call is %v, was %v", f.Name, v, was)
		}
	}
	if before.AnsweredAt != 0 && after.AnsweredAt != before.AnsweredAt || before.Seq > 0 && !before.CallerIn() && after.Caller != before.Caller {
		w.failf("%s, now %s", w.json(before), w.json(after))
	}
}

// checkNames: the name and the picture of a party change only by their own accept or take, which replaces what it carries.
func (w *world) checkNames(before events.Call, t events.Transition, cmd events.Command) {
	want := func(u, oldName, oldAvatar, name, avatar string) {
		if own := t.Event == events.EventAccepted || t.Event == events.EventTaken; own && cmd.UserID == u {
			oldName, oldAvatar = cmp.Or(cmd.UserName, oldName), cmp.Or(cmd.UserAvatar, oldAvatar)
		}
		if name != oldName || avatar != oldAvatar {
			w.failf("%s is %q with %q, want %q with %q: %s", u, name, avatar, oldName, oldAvatar, w.json(t))
		}
	}
	c := before.Caller
	if before.Seq == 0 {
		c.UserName, c.Avatar = cmd.UserName, cmd.UserAvatar
	}
	now := t.Call.Caller
	if t.Event != events.EventFenced {
		want(now.UserID, c.UserName, c.Avatar, now.UserName, now.Avatar)
	}
	for _, x := range t.Call.Callees {
		old := before.Callee(x.UserID)
		if old == nil || old.Attempt != x.Attempt {
			old = &events.Callee{UserName: nameIn(cmd, x.UserID)}
		}
		want(x.UserID, old.UserName, old.Avatar, x.UserName, x.Avatar)
	}
}

func nameIn(cmd events.Command, user string) string {
	for _, p := range cmd.Callees {
		if p.UserID == user {
			return p.UserName
		}
	}
	return ""
}

// fieldFacts lists the fields of commands that the walks have to set. The tests of via are in session_test.go.
func fieldFacts() (facts []string) {
	for f := range reflect.TypeFor[events.Command]().Fields() {
		if !f.Anonymous && f.Name != "Via" {
			facts = append(facts, "field "+f.Name)
		}
	}
	return facts
}

func (w *world) noteFields(cmd events.Command) {
	for f, v := range reflect.ValueOf(cmd).Fields() {
		if !v.IsZero() {
			w.reached["field "+f.Name]++
		}
	}
}

// setOthers sets the fields that no other function sets, if the verb has them and allows the value.
func (w *world) setOthers(cmd *events.Command, b byte) {
	chosen := []string{
		"CommandID", "UserID", "Service", "DeviceID", "CustomData", "CallType", "RoomID", "Callees", "RingTimeoutS", "Reason", "Attempt", "Via",
		"Seen", "Party", "UserAvatar",
	}
	if cmd.Verb.Has("user_avatar") && b%4 > 0 {
		cmd.UserAvatar = fmt.Sprintf("https://x.example/%d", b%4)
	}
	for f, v := range reflect.ValueOf(cmd).Elem().Fields() {
		if f.Anonymous || slices.Contains(chosen, f.Name) {
			continue
		}
		set(v, b)
		body, err := cmd.Encode()
		if err != nil {
			w.t.Fatal(err)
		}
		if _, refused := events.ReadCommand(cmd.CommandAddress, body); refused != nil {
			v.SetZero()
		}
	}
}

// set sets a small value. It panics for a type that no field has today.
func set(v reflect.Value, b byte) {
	switch v.Kind() { //nolint:exhaustive // the default panics
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		set(v.Elem(), b)
	case reflect.Bool:
		v.SetBool(b%2 == 0)
	case reflect.String:
		v.SetString(fmt.Sprintf("x%d", b%4))
	default:
		v.SetInt(int64(b % 4))
	}
}

// field sets the field of the command with this name in JSON. It is not ok if there is none.
func (l *line) field(t *testing.T, name, value string) bool {
	t.Helper()
	v := reflect.ValueOf(&l.cmd).Elem().FieldByNameFunc(func(field string) bool {
		return strings.EqualFold(field, strings.ReplaceAll(name, "_", ""))
	})
	switch {
	case !v.IsValid():
		return false
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(value)
	case v.Kind() == reflect.Bool:
		v.SetBool(value == "true")
	default:
		v.SetInt(int64(number(t, value)))
	}
	return true
}

// others writes the fields of a call that view does not mention.
func (p *printer) others(c events.Call) {
	mentioned := append(changing(), "CallID", "App", "RoomID", "CallType", "CustomData", "CreatedAt", "ExpiresAt", "MergedInto")
	for f, v := range reflect.ValueOf(c).Fields() {
		if !slices.Contains(mentioned, f.Name) && !v.IsZero() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			p.line("%s %v", name, reflect.Indirect(v))
		}
	}
}
