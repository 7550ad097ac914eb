package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// commandFields lists the fields of a command. Only a command may have via; requests and sessions can't set it.
func commandFields(v Verb) []string { return append(verbFields(v), "via") }

// verbFields lists the fields of a request by verb. All verbs have command_id, user_id, service and device_id.
func verbFields(v Verb) []string {
	common := []string{"command_id", "user_id", "service", "device_id"}
	switch v {
	case VerbInvite:
		return append(common, "custom_data", "user_name", "call_type", "room_id", "callees", "ring_timeout_s")
	case VerbAdd:
		return append(common, "custom_data", "callees", "ring_timeout_s")
	case VerbRing:
		return append(common, "attempt")
	case VerbAccept:
		return append(common, "custom_data", "attempt")
	case VerbDecline:
		return append(common, "custom_data", "reason", "attempt")
	case VerbCancel:
		return append(common, "custom_data", "callees")
	case VerbLeave:
		return append(common, "custom_data", "attempt")
	case VerbEnd:
		return append(common, "custom_data")
	case VerbExpire:
		return common
	}
	return nil
}

// ReadCommand decodes the body of a command that was published to this address. If it returns an error, the command
// still holds its command_id if that could be read, for the answer.
func ReadCommand(a CommandAddress, data []byte) (Command, *Error) {
	return readCommand(Command{CommandAddress: a}, data, commandFields(a.Verb), nil)
}

// ReadRequest decodes the body of an api request: a command plus its call_id. If command_id is missing, it becomes
// makeID(). An invite may omit call_id; the api then derives one with DeriveCallID.
func ReadRequest(app string, verb Verb, data []byte, makeID func() string) (Command, *Error) {
	return readAddressed(Command{CommandAddress: CommandAddress{App: app, Verb: verb}}, data, verbFields(verb), makeID)
}

// readAddressed decodes a command whose call_id is in the body.
func readAddressed(c Command, data []byte, fields []string, makeID func() string) (Command, *Error) {
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
func readCommand(c Command, data []byte, allowed []string, makeID func() string) (Command, *Error) {
	members, err := readObject(data, MaxCommand)
	if err != nil {
		return c, err
	}
	if i := slices.IndexFunc(members, func(m member) bool { return m.name == "command_id" }); i >= 0 {
		if id, err := readString(members[i].raw); err == nil && isToken(id) {
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
func readFields(what string, members []member, allowed []string, set func(string, json.RawMessage) *Error) *Error {
	for i, m := range members {
		switch {
		case !slices.Contains(allowed, m.name):
			return invalid("%s: unknown field, %s has %s", quoted(m.name), what, list(allowed))
		case isThere(members[:i], m.name):
			return invalid("%s: given twice", m.name)
		}
		if err := set(m.name, m.raw); err != nil {
			return err
		}
	}
	return nil
}

func isThere(members []member, name string) bool {
	return slices.ContainsFunc(members, func(m member) bool { return m.name == name })
}

// set reads one field of the body. An empty string is equal to a missing field.
func (c *Command) set(name string, raw json.RawMessage) *Error {
	var err error
	switch name {
	case "command_id": // drop a malformed one: an answer would carry it
		var id string
		if id, err = readString(raw); err == nil && id != "" {
			if bad := CheckToken(name, id); bad != nil {
				return bad
			}
		}
		c.CommandID = id
	case "call_id":
		c.CallID, err = readString(raw)
	case "user_id":
		c.UserID, err = readString(raw)
	case "service":
		c.Service, err = readString(raw)
	case "device_id":
		c.DeviceID, err = readString(raw)
	case "custom_data":
		if c.CustomData, err = readString(raw); err == nil && len(raw)-2 > MaxCustomData {
			err = fmt.Errorf("must be at most %d bytes as it stands in the JSON, got %d", MaxCustomData, len(raw)-2)
		}
	case "user_name":
		if c.UserName, err = readString(raw); err == nil {
			if bad := CheckUserName(name, c.UserName); bad != nil {
				return bad
			}
		}
	case "room_id":
		c.RoomID, err = readString(raw)
	case "call_type":
		var n int
		n, err = readInt(raw, int(CallTypeVoice), int(CallTypeVideo))
		c.CallType = CallType(n)
	case "ring_timeout_s":
		c.RingTimeoutS, err = readInt(raw, MinRingTimeoutS, MaxRingTimeoutS)
	case "attempt":
		c.Attempt, err = readInt(raw, 1, math.MaxInt32)
	case "reason":
		var s string
		s, err = readString(raw)
		c.Reason = Reason(s)
	case "via":
		var s string
		s, err = readString(raw)
		c.Via = Via(s)
	case "callees":
		return c.setCallees(raw)
	}
	if err != nil {
		return invalid("%s: %v", name, err)
	}
	return nil
}

func (c *Command) setCallees(raw json.RawMessage) *Error {
	items, ok := splitItems(raw)
	if !ok {
		// Discard items: its elements share the memory of raw, and Unmarshal would overwrite them.
		items = nil
		if raw[0] != '[' || json.Unmarshal(raw, &items) != nil {
			return invalid("callees: must be an array, got %s", kindOf(raw))
		}
	}
	if len(items) == 0 {
		return invalid("callees: must have at least 1 entry%s", map[bool]string{true: "; leave it out to cancel all"}[c.Verb == VerbCancel])
	}
	taken := make(map[string]bool, len(items))
	c.Callees = make([]Party, 0, len(items))
	for i, item := range items {
		p, err := readParty(item, c.Verb == VerbCancel)
		if err != nil {
			err.Message = fmt.Sprintf("callees[%d]%s", i, err.Message)
			return err
		}
		if taken[p.UserID] {
			return invalid("callees[%d].user_id: %s is there twice", i, quoted(p.UserID))
		}
		taken[p.UserID] = true
		c.Callees = append(c.Callees, p)
	}
	return nil
}

// readParty reads one callee: an object, or a user id if bare. Its errors do not contain the name of the callee.
func readParty(raw json.RawMessage, bare bool) (p Party, err *Error) {
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
		if isThere(members[:i], m.name) {
			return p, invalid(".%s: given twice", m.name)
		}
		var e error
		switch m.name {
		case "user_id":
			p.UserID, e = readString(m.raw)
		case "user_name":
			if p.UserName, e = readString(m.raw); e == nil {
				if bad := CheckUserName(".user_name", p.UserName); bad != nil {
					return p, bad
				}
			}
		default:
			return p, invalid(".%s: unknown field, a callee has user_id, user_name", quoted(m.name))
		}
		if e != nil {
			return p, invalid(".%s: %v", m.name, e)
		}
	}
	return p, CheckName(".user_id", p.UserID)
}

// check validates the fields, each of which is well-formed, against the rules of the verb.
func (c *Command) check(members []member) *Error {
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
	for i, p := range c.Callees {
		if c.Verb == VerbInvite && p.UserID == c.UserID {
			return invalid("callees[%d].user_id: %s is the caller", i, quoted(p.UserID))
		}
	}
	return nil
}

func (c *Command) checkVia() *Error {
	switch {
	case c.Via == "":
	case c.Via != ViaSession:
		return invalid("via: must be %s, got %s", ViaSession, quoted(string(c.Via)))
	case c.UserID == "":
		return invalid("via: goes with user_id only")
	}
	return nil
}

func (c *Command) checkSender() *Error {
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
	case c.wantsUser():
		return invalid("user_id: required for %s, 1 to %d bytes", c.Verb, MaxName)
	case c.Service == "":
		return invalid("user_id: required (1 to %d bytes), or service (1 to %d characters)", MaxName, MaxToken)
	case c.DeviceID != "":
		return invalid("device_id: goes with user_id only")
	}
	return CheckToken("service", c.Service)
}

// wantsUser reports whether a service can't send this verb.
func (c *Command) wantsUser() bool {
	switch c.Verb {
	case VerbInvite, VerbRing, VerbAccept, VerbDecline, VerbLeave:
		return true
	case VerbAdd, VerbCancel, VerbEnd, VerbExpire:
		return false
	}
	return false
}

// member is one name and value of an object, in the order of the input.
type member struct {
	name string
	raw  json.RawMessage
}

// readObject splits a JSON object into its members. It keeps duplicate names.
func readObject(data []byte, most int) ([]member, *Error) {
	switch {
	case len(data) > most:
		return nil, invalid("body: must be at most %d bytes, got %d", most, len(data))
	case !utf8.Valid(data):
		return nil, invalid("body: must be valid UTF-8")
	}
	if members, ok := split(data); ok {
		return members, nil
	}
	return decodeObject(data)
}

// decodeObject does the same with json.Decoder, whose errors say what is wrong.
func decodeObject(data []byte) ([]member, *Error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // otherwise the error for a number beyond float64 repeats the number, however long it is
	var members []member
	open, err := dec.Token()
	if err == nil && open != json.Delim('{') {
		return nil, invalid("body: must be a JSON object, got %s", kindOf(bytes.TrimLeft(data, " \t\r\n")))
	}
	for err == nil && dec.More() {
		var name json.Token
		var m member
		if name, err = dec.Token(); err == nil {
			m.name, _ = name.(string)
			err = dec.Decode(&m.raw)
			members = append(members, m)
		}
	}
	if err == nil {
		_, err = dec.Token()
	}
	if err == nil {
		if _, end := dec.Token(); !errors.Is(end, io.EOF) {
			return nil, invalid("body: must be one JSON object with nothing after it")
		}
	}
	if err != nil {
		return nil, invalid("body: is not JSON: %v (byte %d of %d)", err, dec.InputOffset(), len(data))
	}
	return members, nil
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
		return "null (leave the field out)"
	}
	return "a number"
}

func readString(raw json.RawMessage) (string, error) {
	if raw[0] != '"' {
		return "", fmt.Errorf("must be a string, got %s", kindOf(raw))
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	if halfSurrogate(raw) {
		return "", errors.New("must be valid Unicode, got one half of a surrogate pair")
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// readInt accepts any JSON number without a fractional part, including 60.0.
func readInt(raw json.RawMessage, least, most int) (int, error) {
	f, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case kindOf(raw) != "a number":
		return 0, fmt.Errorf("must be a whole number from %d to %d, got %s", least, most, kindOf(raw))
	case err != nil, f != math.Trunc(f), f < float64(least), f > float64(most):
		return 0, fmt.Errorf("must be a whole number from %d to %d, got %s", least, most, quoted(string(raw)))
	}
	return int(f), nil
}

// halfSurrogate reports whether raw contains an unpaired surrogate escape (\uD800 to \uDFFF), which encoding/json
// would replace.
func halfSurrogate(raw []byte) bool {
	for i := 0; i+1 < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		switch u := unit(raw, i+1); {
		case u >= 0xD800 && u < 0xDC00:
			if i+6 >= len(raw) || raw[i+5] != '\\' || raw[i+6] != 'u' {
				return true
			}
			if low := unit(raw, i+7); low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 10
		case u >= 0xDC00 && u <= 0xDFFF:
			return true
		default:
			i += 4
		}
	}
	return false
}

func unit(raw []byte, at int) uint64 {
	if at+4 > len(raw) {
		return 0
	}
	u, err := strconv.ParseUint(string(raw[at:at+4]), 16, 16)
	if err != nil {
		return 0
	}
	return u
}
