package call

import "ringline.io/ringline/events"

// Most returns the size in bytes that an invite or add reserves.
func Most(t events.Transition) int { return most(t) }
