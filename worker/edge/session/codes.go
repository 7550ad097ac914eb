package session

// Code is why a client is refused, or its connection ended. The numbers are centrifuge's: from 3000 a client comes back by
// itself, from 3500 it does not; one below 200 is the error of a command.
type Code struct {
	Number uint32
	Reason string
}

// The codes.
var (
	Expired         = Code{109, "token expired"}       // the client gets a new token, and comes again
	Unavailable     = Code{100, "unavailable"}         // it comes again
	Shutdown        = Code{3001, "shutdown"}           // this edge stops
	SessionExpired  = Code{3005, "connection expired"} // the token's time was over, and no new one came
	Slow            = Code{3008, "slow"}               // it did not read what it was sent
	ForceReconnect  = Code{3011, "force reconnect"}
	TooManyRequests = Code{3013, "too many requests"}
	InvalidToken    = Code{3500, "invalid token"}
	BadRequest      = Code{3501, "bad request"}
	ForceDisconnect = Code{3503, "force disconnect"}
	ConnectionLimit = Code{3504, "connection limit"}
	Denied          = Code{3507, "permission denied"} // a device that is not the token's, or an origin that is not the app's
)

// refusal is a code as an error. Why is for the log.
type refusal struct {
	Code
	why string
}

func (r refusal) Error() string { return r.Reason + ": " + r.why }

func refuse(c Code, why string) error { return refusal{c, why} }
