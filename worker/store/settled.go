package store

import "ringline.io/ringline/events"

// settled holds the settings of the apps, and counts for each origin the apps that list it.
type settled struct {
	apps    map[string]events.AppSettings
	origins map[string]int
}

func newSettled() *settled {
	return &settled{apps: map[string]events.AppSettings{}, origins: map[string]int{}}
}

func (x *settled) set(app string, s events.AppSettings) {
	x.remove(app)
	x.apps[app] = s
	for _, o := range s.Origins {
		x.origins[o]++
	}
}

func (x *settled) remove(app string) {
	for _, o := range x.apps[app].Origins {
		if x.origins[o]--; x.origins[o] == 0 {
			delete(x.origins, o)
		}
	}
	delete(x.apps, app)
}
