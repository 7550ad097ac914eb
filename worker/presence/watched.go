package presence

import (
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/devices"
)

// graces are the grace periods of an app. 0 means never.
type graces struct{ ringing, active, away time.Duration }

func gracesOf(s events.AppSettings) graces {
	return graces{
		seconds(s.LostRingingS, events.DefaultLostRingingS),
		seconds(s.LostActiveS, events.DefaultLostActiveS),
		seconds(s.LostAwayS, events.DefaultLostAwayS),
	}
}

func seconds(set *int, byDefault int) time.Duration {
	if set != nil {
		byDefault = *set
	}
	return time.Duration(byDefault) * time.Second
}

// shortest returns the shortest grace period, or 0 if the app has none.
func (g graces) shortest() time.Duration {
	if g.ringing == 0 || g.active != 0 && g.active < g.ringing {
		return g.active
	}
	return g.ringing
}

// of returns the grace period of a device in a call, or 0 if it is not watched.
func (g graces) of(c events.Call, k devices.Key, away bool) time.Duration {
	grace := g.ringing
	if c.State == events.CallStateActive {
		grace = g.active
	}
	switch {
	case !watches(c, k):
		return 0
	case away && grace != 0:
		return g.away
	}
	return grace
}

// watches reports whether presence watches this device in the call. While the call rings, that is the caller's device. In
// an active call it is the device of everyone who is in. A session of the device must have put the user in.
func watches(c events.Call, k devices.Key) bool {
	if c.State == events.CallStateEnded {
		return false
	}
	if c.Caller.UserID == k.UserID && c.CallerIn() {
		return c.Caller.Watched && c.Caller.DeviceID == k.DeviceID
	}
	x := c.Callee(k.UserID)
	return x != nil && x.Watched && x.State == events.StateAccepted && x.DeviceID == k.DeviceID
}

// watched lists the devices that presence watches in a call.
func watched(c events.Call) (list []devices.Key) {
	add := func(user, device string) {
		if k := (devices.Key{App: c.App, UserID: user, DeviceID: device}); watches(c, k) {
			list = append(list, k)
		}
	}
	add(c.Caller.UserID, c.Caller.DeviceID)
	for _, x := range c.Callees {
		add(x.UserID, x.DeviceID)
	}
	return list
}
