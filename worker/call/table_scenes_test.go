package call_test

// scenes lists the states, each with the outcome of every command. A comment says where CONTRACT does not define the outcome.
func scenes() []scene {
	return []scene{
		{name: "no call", table: noCall},
		{name: "no call, and the command is 5 s old", now: "8s", table: noCallForLong},
		{name: "failed id", script: takenOut, at: "9s", table: failed},
		{name: "1:1, invited", script: oneToOne, table: pendingAlone},
		{name: "1:1, ringing", script: oneToOne + rings, table: ringingAlone},
		{name: "1:1, accepted", script: oneToOne + accepts, table: acceptedAlone},
		{name: "1:1, accepted without a device", script: oneToOne + acceptsBy, table: acceptedAloneNoDevice},
		{name: "group, invited", script: group, table: invited},
		{name: "group, ringing", script: group + rings, table: ringing},
		{name: "group, ringing after the deadline", script: group + rings, at: "70s", table: ringingTooLong},
		{name: "group, ringing after the maximum duration", script: group + rings, at: "12h", table: ringingForEver},
		{name: "group, accepted", script: group + accepts, table: accepted},
		{name: "group, accepted without a device", script: group + acceptsBy, table: acceptedNoDevice},
		{name: "group, left", script: group + leaves, table: terminal},
		{name: "group, declined", script: group + declines, table: terminal},
		{name: "group, busy", script: group + isBusy, table: terminal},
		{name: "group, canceled", script: group + isCanceled, table: terminal},
		{name: "group, timed out", script: group + timesOut, at: "63s", table: terminal},
		{name: "group, line busy", script: group + lineBusy, table: terminal},
		{name: "1:1, ended, answered", script: oneToOne + leaves, table: endedAlone},
		{name: "1:1, ended, declined", script: oneToOne + declines, table: endedAlone},
		{name: "1:1, ended, canceled", script: oneToOne + "\n2s ann/laptop cancel", table: endedAlone},
		{name: "1:1, ended, timed out", script: oneToOne + "\n60s timer expire c1.1", at: "61s", table: endedAlone},
		{name: "1:1, ended, expired", script: oneToOne + accepts + "\n12h timer expire c1.2", at: "12h1s", table: endedAlone},
		{name: "1:1, ended, line busy", script: oneToOne + lineBusy, table: endedAlone},
		{name: "1:1, born ended, caller busy", script: oneToOne + " line=full", table: endedAlone},
		{name: "1:1, born ended, merged", script: oneToOne + " glare=c9#1", table: endedAlone},
		{name: "group, ended while invited", script: group, ended: true, table: ended},
		{name: "group, ended while ringing", script: group + rings, ended: true, table: ended},
		{name: "group, ended while accepted", script: group + accepts, ended: true, table: ended},
		{name: "group, ended after left", script: group + leaves, ended: true, table: ended},
		{name: "group, ended after declined", script: group + declines, ended: true, table: ended},
		{name: "group, ended after busy", script: group + isBusy, ended: true, table: ended},
		{name: "group, ended after canceled", script: group + isCanceled, ended: true, table: ended},
		{name: "group, ended after timed out", script: group + timesOut, ended: true, at: "63s", table: ended},
		{name: "group, ended after line busy", script: group + lineBusy, ended: true, table: ended},
	}
}

// A call that does not exist has no roles, so only an expire by a wrong sender is denied. CONTRACT does not define expire by
// timeouts here: it is not_found, because waiting does not help.
const noCall = `
bob/phone bob/tablet bob ann eve dan mal | invited wait wait unknown unknown unknown wait wait    wait denied  unknown denied
ann,left                                 | none    none none none    none    none    none none    none none    none    none
desk                                     | invalid wait wait invalid invalid invalid wait invalid wait denied  invalid denied
timeouts                                 | invalid wait wait invalid invalid invalid wait invalid wait unknown invalid denied
presence                                 | invalid wait wait invalid invalid invalid wait invalid wait denied  invalid unknown`

const noCallForLong = `
bob/phone bob/tablet bob ann eve dan mal | invited unknown unknown unknown unknown unknown fence fence   fence denied  unknown denied
ann,left                                 | none    none    none    none    none    none    none  none    none  none    none    none
desk                                     | invalid unknown unknown invalid invalid invalid fence invalid fence denied  invalid denied
timeouts                                 | invalid unknown unknown invalid invalid invalid fence invalid fence unknown invalid denied
presence                                 | invalid unknown unknown invalid invalid invalid fence invalid fence denied  invalid unknown`

// CONTRACT defines only the outcome of invite. No user can see a failed call, and the hang-up that took the id out of use got
// not_found. So every other command gets not_found too, each time.
const failed = `
bob/phone bob/tablet bob ann eve dan mal | over    unknown unknown unknown unknown unknown unknown unknown unknown denied  unknown denied
ann,left                                 | none    none    none    none    none    none    none    none    none    none    none    none
desk                                     | invalid unknown unknown invalid invalid invalid unknown invalid unknown denied  invalid denied
timeouts                                 | invalid unknown unknown invalid invalid invalid unknown invalid unknown unknown invalid denied
presence                                 | invalid unknown unknown invalid invalid invalid unknown invalid unknown denied  invalid unknown`

const pendingAlone = `
bob/phone bob/tablet bob | exists  denied denied  ringing accepted declined! denied    declined! denied denied invalid denied
ann                      | exists  added  exists  denied  denied   denied    canceled! canceled! ended! denied -       denied
ann,left                 | none    none   none    none    none     none      none      none      none   none   none    none
eve dan mal              | exists  denied denied  denied  denied   denied    denied    denied    denied denied denied  denied
desk                     | invalid added  exists  invalid invalid  invalid   canceled! invalid   ended! denied invalid denied
timeouts                 | invalid added  exists  invalid invalid  invalid   canceled! invalid   ended! -      invalid denied
presence                 | invalid added  exists  invalid invalid  invalid   canceled! invalid   ended! denied invalid -`

const ringingAlone = `
bob/phone bob/tablet bob | exists  denied denied  -       accepted declined! denied    declined! denied denied invalid denied
ann                      | exists  added  exists  denied  denied   denied    canceled! canceled! ended! denied -       denied
ann,left                 | none    none   none    none    none     none      none      none      none   none   none    none
eve dan mal              | exists  denied denied  denied  denied   denied    denied    denied    denied denied denied  denied
desk                     | invalid added  exists  invalid invalid  invalid   canceled! invalid   ended! denied invalid denied
timeouts                 | invalid added  exists  invalid invalid  invalid   canceled! invalid   ended! -      invalid denied
presence                 | invalid added  exists  invalid invalid  invalid   canceled! invalid   ended! denied invalid -`

// An accepted callee may add. If they name themselves, the list has an accepted callee, who is refused. Their cancel of
// themselves is denied, because they did not make that invitation.
const acceptedAlone = `
bob/phone      | exists  added  exists  -       -         gone      denied left!   denied denied -       denied
bob/tablet bob | exists  added  exists  -       elsewhere elsewhere denied left!   denied denied taken   denied
ann            | exists  added  exists  denied  denied    denied    gone   left!   ended! denied -       denied
ann,left       | none    none   none    none    none      none      none   none    none   none   none    none
eve dan mal    | exists  denied denied  denied  denied    denied    denied denied  denied denied denied  denied
desk           | invalid added  exists  invalid invalid   invalid   gone   invalid ended! denied invalid denied
timeouts       | invalid added  exists  invalid invalid   invalid   gone   invalid ended! -      invalid denied
presence       | invalid added  exists  invalid invalid   invalid   gone   invalid ended! denied invalid left!`

const acceptedAloneNoDevice = `
bob                  | exists  added  exists  -       -         gone      denied left!   denied denied taken denied
bob/phone bob/tablet | exists  added  exists  -       elsewhere elsewhere denied left!   denied denied taken   denied
ann                  | exists  added  exists  denied  denied    denied    gone   left!   ended! denied -       denied
ann,left             | none    none   none    none    none      none      none   none    none   none   none    none
eve dan mal          | exists  denied denied  denied  denied    denied    denied denied  denied denied denied  denied
desk                 | invalid added  exists  invalid invalid   invalid   gone   invalid ended! denied invalid denied
timeouts             | invalid added  exists  invalid invalid   invalid   gone   invalid ended! -      invalid denied
presence             | invalid added  exists  invalid invalid   invalid   gone   invalid ended! denied invalid -`

// eve and dan have accepted on the device from which they send. So for their ring, accept, decline and leave the column
// "accepted, same device" of CONTRACT section 2 applies.
const invited = `
bob/phone bob/tablet bob | exists  denied denied  ringing accepted declined denied   declined denied denied invalid denied
ann                      | exists  added  exists  denied  denied   denied   canceled left     ended! denied -       denied
ann,left                 | exists  denied denied  denied  denied   denied   denied   denied   denied denied denied  denied
eve                      | exists  added  exists  -       -        gone     denied   left     denied denied -       denied
dan                      | exists  added  exists  -       -        gone     canceled left     denied denied -       denied
mal                      | exists  denied denied  denied  denied   denied   denied   denied   denied denied denied  denied
desk                     | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! denied invalid denied
timeouts                 | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! -      invalid denied
presence                 | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! denied invalid -`

const ringing = `
bob/phone bob/tablet bob | exists  denied denied  -       accepted declined denied   declined denied denied invalid denied
ann                      | exists  added  exists  denied  denied   denied   canceled left     ended! denied -       denied
ann,left                 | exists  denied denied  denied  denied   denied   denied   denied   denied denied denied  denied
eve                      | exists  added  exists  -       -        gone     denied   left     denied denied -       denied
dan                      | exists  added  exists  -       -        gone     canceled left     denied denied -       denied
mal                      | exists  denied denied  denied  denied   denied   denied   denied   denied denied denied  denied
desk                     | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! denied invalid denied
timeouts                 | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! -      invalid denied
presence                 | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! denied invalid -`

// A callee times out only by an expire. As long as bob is pending, the outcomes of all other verbs are the same as before the
// deadline.
const ringingTooLong = `
bob/phone bob/tablet bob | exists  denied denied  -       accepted declined denied   declined denied denied    invalid denied
ann                      | exists  added  exists  denied  denied   denied   canceled left     ended! denied    -       denied
ann,left                 | exists  denied denied  denied  denied   denied   denied   denied   denied denied    denied  denied
eve                      | exists  added  exists  -       -        gone     denied   left     denied denied    -       denied
dan                      | exists  added  exists  -       -        gone     canceled left     denied denied    -       denied
mal                      | exists  denied denied  denied  denied   denied   denied   denied   denied denied    denied  denied
desk                     | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! denied    invalid denied
timeouts                 | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! timed_out invalid denied
presence                 | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! denied    invalid -`

// CONTRACT does not define the time between the maximum duration and the expire that ends the call. As with ring deadlines,
// nothing ends before the expire. The end of the call then wins over the ring deadline, which is cut to the maximum duration.
const ringingForEver = `
bob/phone bob/tablet bob | exists  denied denied  -       accepted declined denied   declined denied denied invalid denied
ann                      | exists  added  exists  denied  denied   denied   canceled left     ended! denied -       denied
ann,left                 | exists  denied denied  denied  denied   denied   denied   denied   denied denied denied  denied
eve                      | exists  added  exists  -       -        gone     denied   left     denied denied -       denied
dan                      | exists  added  exists  -       -        gone     canceled left     denied denied -       denied
mal                      | exists  denied denied  denied  denied   denied   denied   denied   denied denied denied  denied
desk                     | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! denied invalid denied
timeouts                 | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! ended! invalid denied
presence                 | invalid added  exists  invalid invalid  invalid  canceled invalid  ended! denied invalid -`

const accepted = `
bob/phone      | exists  added  exists  -       -         gone      denied left    denied denied -       denied
bob/tablet bob | exists  added  exists  -       elsewhere elsewhere denied left    denied denied taken   denied
ann            | exists  added  exists  denied  denied    denied    gone   left    ended! denied -       denied
ann,left       | exists  denied denied  denied  denied    denied    denied denied  denied denied denied  denied
eve            | exists  added  exists  -       -         gone      denied left    denied denied -       denied
dan            | exists  added  exists  -       -         gone      gone   left    denied denied -       denied
mal            | exists  denied denied  denied  denied    denied    denied denied  denied denied denied  denied
desk           | invalid added  exists  invalid invalid   invalid   gone   invalid ended! denied invalid denied
timeouts       | invalid added  exists  invalid invalid   invalid   gone   invalid ended! -      invalid denied
presence       | invalid added  exists  invalid invalid   invalid   gone   invalid ended! denied invalid left`

const acceptedNoDevice = `
bob                  | exists  added  exists  -       -         gone      denied left    denied denied taken denied
bob/phone bob/tablet | exists  added  exists  -       elsewhere elsewhere denied left    denied denied taken   denied
ann                  | exists  added  exists  denied  denied    denied    gone   left    ended! denied -       denied
ann,left             | exists  denied denied  denied  denied    denied    denied denied  denied denied denied  denied
eve                  | exists  added  exists  -       -         gone      denied left    denied denied -       denied
dan                  | exists  added  exists  -       -         gone      gone   left    denied denied -       denied
mal                  | exists  denied denied  denied  denied    denied    denied denied  denied denied denied  denied
desk                 | invalid added  exists  invalid invalid   invalid   gone   invalid ended! denied invalid denied
timeouts             | invalid added  exists  invalid invalid   invalid   gone   invalid ended! -      invalid denied
presence             | invalid added  exists  invalid invalid   invalid   gone   invalid ended! denied invalid -`

// After any end of bob's attempt, bob can do nothing more in it. A sender who may add may add bob again.
const terminal = `
bob/phone bob/tablet bob | exists  denied denied gone    gone    gone    denied gone    denied denied gone    denied
ann                      | exists  added  added  denied  denied  denied  gone   left    ended! denied -       denied
ann,left                 | exists  denied denied denied  denied  denied  denied denied  denied denied denied  denied
eve                      | exists  added  added  -       -       gone    denied left    denied denied -       denied
dan                      | exists  added  added  -       -       gone    gone   left    denied denied -       denied
mal                      | exists  denied denied denied  denied  denied  denied denied  denied denied denied  denied
desk                     | invalid added  added  invalid invalid invalid gone   invalid ended! denied invalid denied
timeouts                 | invalid added  added  invalid invalid invalid gone   invalid ended! -      invalid denied
presence                 | invalid added  added  invalid invalid invalid gone   invalid ended! denied invalid -`

// In a call that has ended, no party is in or accepted. CONTRACT does not define which senders then have a wrong role. Senders
// who had the role, or could have had it, get call_ended. All others are denied as before.
//
// CONTRACT does not define expire here either: a late one changes nothing (ADR 0003). For a call that was created as ended,
// with caller_busy or merged, CONTRACT says only that no user sees it. A callee who knows its id gets the same outcomes as in
// any other ended call.
const ended = `
bob/phone bob/tablet bob | exists  over   over   over    over    over    denied over    denied denied over    denied
ann ann,left             | exists  over   over   denied  denied  denied  over   over    over   denied over    denied
eve                      | exists  over   over   over    over    over    denied over    denied denied over    denied
dan                      | exists  over   over   over    over    over    over   over    denied denied over    denied
mal                      | exists  denied denied denied  denied  denied  denied denied  denied denied denied  denied
desk                     | invalid over   over   invalid invalid invalid over   invalid over   denied invalid denied
timeouts                 | invalid over   over   invalid invalid invalid over   invalid over   -      invalid denied
presence                 | invalid over   over   invalid invalid invalid over   invalid over   denied invalid -`

const endedAlone = `
bob/phone bob/tablet bob | exists  over   over   over    over    over    denied over    denied denied over    denied
ann                      | exists  over   over   denied  denied  denied  over   over    over   denied over    denied
ann,left                 | none    none   none   none    none    none    none   none    none   none   none    none
eve dan mal              | exists  denied denied denied  denied  denied  denied denied  denied denied denied  denied
desk                     | invalid over   over   invalid invalid invalid over   invalid over   denied invalid denied
timeouts                 | invalid over   over   invalid invalid invalid over   invalid over   -      invalid denied
presence                 | invalid over   over   invalid invalid invalid over   invalid over   denied invalid -`
