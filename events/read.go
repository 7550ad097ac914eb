package events

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"ringline.io/ringline/events/jsonobject"
)

// ReadCommand decodes the body of a command that was published to this address. Only here may it have via; requests and
// sessions can't set it. If it returns an error, the command still holds its command_id if that could be read, for the
// answer.
func ReadCommand(a CommandAddress, data []byte) (Command, error) {
	return readCommand(Command{CommandAddress: a}, data, append(a.Verb.Fields(), "via"), nil)
}

// ReadRequest decodes the body of an api request: a command plus its call_id. If command_id is missing, it becomes
// makeID(). An invite may omit call_id; the api then derives one with DeriveCallID.
func ReadRequest(app string, verb Verb, data []byte, makeID func() string) (Command, error) {
	return readAddressed(Command{CommandAddress: CommandAddress{App: app, Verb: verb}}, data, verb.Fields(), makeID)
}

// readAddressed decodes a command whose call_id is in the body.
func readAddressed(c Command, data []byte, fields []string, makeID func() string) (Command, error) {
	c, err := readCommand(c, data, append(fields, "call_id"), makeID)
	if err != nil {
		return c, err
	}
	if c.CallID == "" && c.Verb == VerbInvite {
		return c, nil
	}
	return c, CheckToken("call_id", c.CallID)
}

// readCommand decodes a body with the allowed fields. If makeID is not nil, it creates a missing command id.
func readCommand(c Command, data []byte, allowed []string, makeID func() string) (Command, error) {
	members, err := readObject(data, MaxCommand)
	if err != nil {
		return c, err
	}
	if i := slices.IndexFunc(members, func(m jsonobject.Member) bool { return m.Name == "command_id" }); i >= 0 {
		if id, err := readString(members[i].Value); err == nil && isToken(id) {
			c.CommandID = id // the answer carries it even if the rest is malformed
		}
	}
	if err := readFields(string(c.Verb), members, allowed, c.set); err != nil {
		return c, err
	}
	if c.CommandID == "" && makeID != nil {
		c.CommandID = makeID()
	}
	return c, c.check(members)
}

// readFields reads the members of an object. Each allowed field may occur at most once.
func readFields(what string, members []jsonobject.Member, allowed []string, set func(string, jsontext.Value) error) error {
	for i, m := range members {
		switch {
		case !slices.Contains(allowed, m.Name):
			return invalid("%s: unknown field, %s has %s", quoted(m.Name), what, list(allowed))
		case isThere(members[:i], m.Name):
			return invalid("%s: given twice", m.Name)
		}
		if err := set(m.Name, m.Value); err != nil {
			return err
		}
	}
	return nil
}

func isThere(members []jsonobject.Member, name string) bool {
	return slices.ContainsFunc(members, func(m jsonobject.Member) bool { return m.Name == name })
}

// setCallees reads the callees of an invite or add, or the user ids of a cancel.
func (c *Command) setCallees(raw jsontext.Value) error {
	items, bad := readItems("callees", raw, MaxCommand)
	if bad != nil {
		return bad
	}
	if len(items) == 0 {
		return invalid("callees: must have at least 1 entry%s", map[bool]string{true: "; omit it to cancel all"}[c.Verb == VerbCancel])
	}
	taken := make(map[string]bool, len(items))
	c.Callees = make([]Party, 0, len(items))
	for i, item := range items {
		p, err := readParty(item, c.Verb == VerbCancel)
		if err != nil {
			return invalid("callees[%d]%s", i, Message(err))
		}
		if taken[p.UserID] {
			return invalid("callees[%d].user_id: %s given twice", i, quoted(p.UserID))
		}
		taken[p.UserID] = true
		c.Callees = append(c.Callees, p)
	}
	return nil
}

// readParty reads one callee: an object, or a user id if bare. Its errors do not contain the name of the callee.
func readParty(raw jsontext.Value, bare bool) (p Party, err error) {
	if bare {
		id, e := readString(raw)
		if e != nil {
			return p, invalid(": %v", e)
		}
		return Party{UserID: id}, CheckName("", id)
	}
	if raw[0] != '{' {
		return p, invalid(": must be an object, got %s", kindOf(raw))
	}
	members, err := readObject(raw, MaxCommand)
	if err != nil {
		return p, err
	}
	for i, m := range members {
		if isThere(members[:i], m.Name) {
			return p, invalid(".%s: given twice", m.Name)
		}
		var e error
		switch m.Name {
		case "user_id":
			p.UserID, e = readString(m.Value)
		case "user_name":
			if p.UserName, e = readString(m.Value); e == nil {
				if bad := CheckUserName(".user_name", p.UserName); bad != nil {
					return p, bad
				}
			}
		default:
			return p, invalid(".%s: unknown field, a callee has user_id, user_name", quoted(m.Name))
		}
		if e != nil {
			return p, invalid(".%s: %v", m.Name, e)
		}
	}
	return p, CheckName(".user_id", p.UserID)
}

// setParty reads the party of a drop. Its errors do not contain the names in it.
func (c *Command) setParty(raw jsontext.Value) error {
	if raw.Kind() != jsontext.KindBeginObject {
		return invalid("party: must be an object, got %s", kindOf(raw))
	}
	members, err := readObject(raw, MaxCommand)
	if err != nil {
		return err
	}
	for i, m := range members {
		if isThere(members[:i], m.Name) {
			return invalid("party.%s: given twice", m.Name)
		}
		var err error
		switch m.Name {
		case "user_id":
			c.Party.UserID, err = readString(m.Value)
		case "device_id":
			c.Party.DeviceID, err = readString(m.Value)
		default:
			return invalid("party.%s: unknown field, a party has user_id, device_id", quoted(m.Name))
		}
		if err != nil {
			return invalid("party.%s: %v", m.Name, err)
		}
	}
	if err := CheckName("party.user_id", c.Party.UserID); err != nil {
		return err
	}
	return CheckName("party.device_id", c.Party.DeviceID)
}

// check validates the fields, each of which is well-formed, against the rules of the verb.
func (c *Command) check(members []jsonobject.Member) error {
	if err := CheckToken("command_id", c.CommandID); err != nil {
		return err
	}
	if err := c.checkSender(); err != nil {
		return err
	}
	if c.RoomID != "" {
		if err := CheckName("room_id", c.RoomID); err != nil {
			return err
		}
	}
	if c.Reason != "" && c.Reason != ReasonDeclined && c.Reason != ReasonBusy {
		return invalid("reason: must be declined or busy, got %s", quoted(string(c.Reason)))
	}
	if bad := c.checkVia(); bad != nil {
		return bad
	}
	if c.Verb == VerbInvite && !isThere(members, "call_type") {
		return invalid("call_type: required, %d (voice) or %d (video)", CallTypeVoice, CallTypeVideo)
	}
	if (c.Verb == VerbInvite || c.Verb == VerbAdd) && !isThere(members, "callees") {
		return invalid("callees: required, at least 1 entry")
	}
	if c.Verb == VerbTake && c.DeviceID == "" {
		return invalid("device_id: required for %s, 1 to %d bytes", c.Verb, MaxName)
	}
	for _, field := range []string{"party", "seen"} {
		if c.Verb == VerbDrop && !isThere(members, field) {
			return invalid("%s: required for %s", field, c.Verb)
		}
	}
	for i, p := range c.Callees {
		if c.Verb == VerbInvite && p.UserID == c.UserID {
			return invalid("callees[%d].user_id: %s is the caller", i, quoted(p.UserID))
		}
	}
	return nil
}

func (c *Command) checkVia() error {
	switch {
	case c.Via == "":
	case c.Via != ViaSession:
		return invalid("via: must be %s, got %s", ViaSession, quoted(string(c.Via)))
	case c.UserID == "":
		return invalid("via: allowed only with user_id")
	}
	return nil
}

func (c *Command) checkSender() error {
	switch {
	case c.UserID != "" && c.Service != "":
		return invalid("user_id and service: exactly one of them, got both")
	case c.UserID != "":
		if err := CheckName("user_id", c.UserID); err != nil {
			return err
		}
		if c.DeviceID != "" {
			return CheckName("device_id", c.DeviceID)
		}
		return nil
	case c.Verb.UsersOnly():
		return invalid("user_id: required for %s, 1 to %d bytes", c.Verb, MaxName)
	case c.Service == "":
		return invalid("user_id: required (1 to %d bytes), or service (1 to %d characters)", MaxName, MaxToken)
	case c.DeviceID != "":
		return invalid("device_id: allowed only with user_id")
	}
	return CheckToken("service", c.Service)
}

// readObject splits a JSON object into its members. It keeps duplicate names.
func readObject(data []byte, most int) ([]jsonobject.Member, error) {
	switch {
	case len(data) > most:
		return nil, invalid("body: must be at most %d bytes, got %d", most, len(data))
	case !utf8.Valid(data):
		return nil, invalid("body: must be valid UTF-8")
	}
	members, err := jsonobject.Read(data)
	switch {
	case err == nil:
		return members, nil
	case errors.Is(err, jsonobject.ErrNoObject):
		return nil, invalid("body: must be a JSON object, got %s", kindOf(bytes.TrimLeft(data, " \t\r\n")))
	case errors.Is(err, jsonobject.ErrTrailing):
		return nil, invalid("body: must be one JSON object with nothing after it")
	}
	if bad, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		why := strings.ReplaceAll(bad.Err.Error(), "`", `"`) // for WithoutQuotes: it is a piece of the body
		return nil, invalid("body: is not JSON: %s (byte %d of %d)", why, bad.ByteOffset, len(data))
	}
	return nil, invalid("body: is not JSON: %v", err)
}

func kindOf(raw []byte) string {
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null (omit the field)"
	}
	return "a number"
}

func readString(raw jsontext.Value) (string, error) {
	if raw.Kind() != jsontext.KindString {
		return "", fmt.Errorf("must be a string, got %s", kindOf(raw))
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	s, err := jsontext.AppendUnquote(nil, raw)
	if err != nil { // the body is valid UTF-8, so only an escape can be wrong
		return "", errors.New("must be valid Unicode, got one half of a surrogate pair")
	}
	return string(s), nil
}

// readInt accepts any JSON number without a fractional part, including 60.0.
func readInt(raw jsontext.Value, least, most int) (int, error) {
	f, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case kindOf(raw) != "a number":
		return 0, fmt.Errorf("must be an integer from %d to %d, got %s", least, most, kindOf(raw))
	case err != nil, f != math.Trunc(f), f < float64(least), f > float64(most):
		return 0, fmt.Errorf("must be an integer from %d to %d, got %s", least, most, quoted(string(raw)))
	}
	return int(f), nil
}
