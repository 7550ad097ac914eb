package events

// The fields of each type, in encoding order, for codec.

func (x *By) fields(c *codec) {
	text(c, "kind", &x.Kind)
	some(c, "user_id", &x.UserID)
	some(c, "device_id", &x.DeviceID)
	some(c, "service", &x.Service)
}

func (x *Caller) fields(c *codec) {
	text(c, "user_id", &x.UserID)
	some(c, "user_name", &x.UserName)
	some(c, "device_id", &x.DeviceID)
	text(c, "state", &x.State)
	moment(c, "at", &x.At)
}

func (x *Callee) fields(c *codec) {
	text(c, "user_id", &x.UserID)
	some(c, "user_name", &x.UserName)
	number(c, "attempt", &x.Attempt)
	text(c, "invited_by", &x.InvitedBy)
	text(c, "state", &x.State)
	some(c, "reason", &x.Reason)
	some(c, "custom_data", &x.CustomData)
	someNumber(c, "custom_seq", &x.CustomSeq)
	some(c, "device_id", &x.DeviceID)
	someMoment(c, "ring_deadline", &x.RingDeadline)
	moment(c, "at", &x.At)
}

func (x *Call) fields(c *codec) {
	text(c, "call_id", &x.CallID)
	text(c, "app", &x.App)
	text(c, "room_id", &x.RoomID)
	number(c, "call_type", &x.CallType)
	text(c, "state", &x.State)
	number(c, "seq", &x.Seq)
	part(c, "caller", &x.Caller, x.Caller != Caller{})
	items(c, "callees", &x.Callees, true, func(c *codec, x *Callee) { c.object(x) })
	some(c, "custom_data", &x.CustomData)
	numbered(c, "custom", &x.Custom)
	moment(c, "created_at", &x.CreatedAt)
	moment(c, "expires_at", &x.ExpiresAt)
	someMoment(c, "answered_at", &x.AnsweredAt)
	someMoment(c, "ended_at", &x.EndedAt)
	some(c, "end_reason", &x.EndReason)
	part(c, "ended_by", &x.EndedBy, x.EndedBy != By{})
	some(c, "merged_into", &x.MergedInto)
}

func (x *Notification) fields(c *codec) {
	text(c, "event", &x.Event)
	text(c, "id", &x.ID)
	text(c, "call_id", &x.CallID)
	number(c, "seq", &x.Seq)
	some(c, "user_id", &x.UserID)
	some(c, "reason", &x.Reason)
	some(c, "custom_data", &x.CustomData)
	part(c, "by", &x.By, true)
	part(c, "call", &x.Call, !x.Call.IsZero())
	moment(c, "server_time", &x.ServerTime)
	if c.comes("ring_remaining_ms") {
		x.RingRemainingMS = new(int64)
	}
	if x.RingRemainingMS != nil {
		number(c, "ring_remaining_ms", x.RingRemainingMS)
	}
}

func (x *Error) fields(c *codec) {
	text(c, "code", &x.Code)
	text(c, "message", &x.Message)
}

func (x *Answer) fields(c *codec) {
	some(c, "command_id", &x.CommandID)
	boolean(c, "ok", &x.OK)
	if c.comes("error") {
		x.Error = new(Error)
	}
	if x.Error != nil {
		part(c, "error", x.Error, true)
	}
	if c.comes("call") {
		x.Call = new(Call)
	}
	if x.Call != nil {
		part(c, "call", x.Call, true)
	}
}

func (x *Change) fields(c *codec) {
	text(c, "user_id", &x.UserID)
	someNumber(c, "attempt", &x.Attempt)
	some(c, "from", &x.From)
	text(c, "to", &x.To)
	some(c, "reason", &x.Reason)
}

func (x *Remembered) fields(c *codec) {
	text(c, "id", &x.ID)
	text(c, "verb", &x.Verb)
	some(c, "user_id", &x.UserID)
	some(c, "service", &x.Service)
	number(c, "seq", &x.Seq)
	items(c, "callees", &x.Callees, len(x.Callees) > 0, func(c *codec, x *string) { c.word(x) })
	someNumber(c, "attempt", &x.Attempt)
}

func (x *Transition) fields(c *codec) {
	text(c, "event", &x.Event)
	number(c, "seq", &x.Seq)
	part(c, "by", &x.By, true)
	items(c, "changes", &x.Changes, true, func(c *codec, x *Change) { c.object(x) })
	some(c, "custom_data", &x.CustomData)
	part(c, "call", &x.Call, true)
	items(c, "commands", &x.Commands, true, func(c *codec, x *Remembered) { c.object(x) })
}

func (x *envelope) fields(c *codec) {
	text(c, "specversion", &x.SpecVersion)
	text(c, "id", &x.ID)
	text(c, "source", &x.Source)
	text(c, "type", &x.Type)
	text(c, "subject", &x.Subject)
	moment(c, "time", &x.Time)
	text(c, "datacontenttype", &x.DataContentType)
	text(c, "dataschema", &x.DataSchema)
	text(c, "sequence", &x.Sequence)
	text(c, "causationid", &x.CausationID)
	part(c, "data", &x.Data, true)
}

func (x *Entry) fields(c *codec) {
	text(c, "call_id", &x.CallID)
	number(c, "seq", &x.Seq)
	moment(c, "at", &x.At)
	some(c, "command_id", &x.CommandID)
}

func (x *body) fields(c *codec) {
	some(c, "command_id", &x.CommandID)
	if x.inRequest {
		some(c, "call_id", &x.CallID)
	}
	some(c, "user_id", &x.UserID)
	some(c, "service", &x.Service)
	some(c, "device_id", &x.DeviceID)
	some(c, "custom_data", &x.CustomData)
	some(c, "user_name", &x.UserName)
	if x.Verb == VerbInvite {
		number(c, "call_type", &x.CallType)
	}
	some(c, "room_id", &x.RoomID)
	items(c, "callees", &x.Callees, len(x.Callees) > 0, func(c *codec, p *Party) {
		if x.Verb == VerbCancel {
			c.word(&p.UserID)
		} else {
			c.object(p)
		}
	})
	someNumber(c, "ring_timeout_s", &x.RingTimeoutS)
	some(c, "reason", &x.Reason)
	someNumber(c, "attempt", &x.Attempt)
	some(c, "via", &x.Via)
}

func (x *Party) fields(c *codec) {
	text(c, "user_id", &x.UserID)
	some(c, "user_name", &x.UserName)
}
