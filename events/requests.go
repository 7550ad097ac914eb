package events

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// ReadGet decodes the body of a request for one call.
func ReadGet(data []byte) (callID string, err error) {
	if callID, err = readOne("get", "call_id", data); err != nil {
		return "", err
	}
	return callID, CheckToken("call_id", callID)
}

// ReadLineRequest decodes the body of a request for a user's line.
func ReadLineRequest(data []byte) (userID string, err error) {
	if userID, err = readOne("line", "user_id", data); err != nil {
		return "", err
	}
	return userID, CheckName("user_id", userID)
}

// ReadOwnLineRequest decodes the body of a session's request for its user's line. It has no fields and may be empty.
func ReadOwnLineRequest(data []byte) error { return ReadEmpty("line", data) }

// ReadEmpty decodes the body of a session's request that has no fields. The body may be empty.
func ReadEmpty(method string, data []byte) error {
	if len(data) == 0 || string(data) == "null" {
		return nil
	}
	return readRequest(method, data, nil, nil)
}

// PresentFor is how long a request present renews the presence of a device.
const PresentFor = 60 * time.Second

// PresentRequest says that a device is in a call, although it may have no session.
type PresentRequest struct{ CallID, UserID, DeviceID string }

// ReadPresent decodes the body of a request that renews the presence of a device.
func ReadPresent(data []byte) (r PresentRequest, err error) {
	fields := map[string]*string{"call_id": &r.CallID, "user_id": &r.UserID, "device_id": &r.DeviceID}
	err = readRequest("present", data, []string{"call_id", "user_id", "device_id"}, func(name string, raw jsontext.Value) (err error) {
		*fields[name], err = readString(raw)
		return err
	})
	if err == nil {
		err = CheckToken("call_id", r.CallID)
	}
	if err == nil {
		err = CheckName("user_id", r.UserID)
	}
	if err == nil {
		err = CheckName("device_id", r.DeviceID)
	}
	return r, err
}

// readOne reads an object with a single string field.
func readOne(what, field string, data []byte) (value string, err error) {
	err = readRequest(what, data, []string{field}, func(_ string, raw jsontext.Value) (err error) {
		value, err = readString(raw)
		return err
	})
	return value, err
}

// Default and maximum number of calls in the reply to a request for an app's open calls.
const (
	DefaultListLimit = 100
	MaxListLimit     = 1000
)

// ListRequest asks for an app's open calls. State is unset (all calls), ringing or active.
type ListRequest struct {
	State CallState
	Limit int
}

// ReadListRequest decodes the body of a request for an app's open calls. It may be empty.
func ReadListRequest(data []byte) (ListRequest, error) {
	r := ListRequest{Limit: DefaultListLimit}
	if len(data) == 0 {
		return r, nil
	}
	return r, readRequest("list", data, []string{"state", "limit"}, func(name string, raw jsontext.Value) (err error) {
		if name == "limit" {
			r.Limit, err = readInt(raw, 1, MaxListLimit)
			return err
		}
		s, err := readString(raw)
		r.State = CallState(s)
		if err == nil && s != "" && r.State != CallStateRinging && r.State != CallStateActive {
			err = fmt.Errorf("must be ringing or active, got %s", quoted(s))
		}
		return err
	})
}

// readRequest reads an object. Each allowed field may occur at most once.
func readRequest(what string, data []byte, allowed []string, set func(string, jsontext.Value) error) error {
	members, err := readObject(data, MaxCommand)
	if err != nil {
		return err
	}
	return readFields(what, members, allowed, func(name string, raw jsontext.Value) error {
		if err := set(name, raw); err != nil {
			return invalid("%s: %v", name, err)
		}
		return nil
	})
}
