package session

// Code is why a client is refused, or its connection ended. The numbers are centrifuge's: from 3000 a client comes back by
// itself, from 3500 it does not; one below 200 is the error of a command.
type Code uint32

// The codes. Not all are ours to give: some centrifuge gives by itself.
const (
	Unavailable     Code = 100  // it comes again
	Expired         Code = 109  // the client gets a new token, and comes again
	Shutdown        Code = 3001 // this edge stops
	SessionExpired  Code = 3005 // the token's time was over, and no new one came
	Slow            Code = 3008 // it did not read what it was sent
	Silent          Code = 3012 // it did not say that it is there
	TooManyRequests Code = 3013 // it went on and on with commands that were too many
	InvalidToken    Code = 3500 // none, or none of ours, or it was revoked
	BadRequest      Code = 3501 // what it says can't be read
	ForceDisconnect Code = 3503 // somebody has ended all sessions of the user
	ConnectionLimit Code = 3504 // too many sessions of the user
	Denied          Code = 3507 // a device that is not the token's, or an origin that is not the app's
)

// String is what a client is told beside the number, in centrifuge's words.
func (c Code) String() string {
	switch c {
	case Unavailable:
		return "unavailable"
	case Expired:
		return "token expired"
	case Shutdown:
		return "shutdown"
	case SessionExpired:
		return "connection expired"
	case Slow:
		return "slow"
	case Silent:
		return "no pong"
	case TooManyRequests:
		return "too many requests"
	case InvalidToken:
		return "invalid token"
	case BadRequest:
		return "bad request"
	case ForceDisconnect:
		return "force disconnect"
	case ConnectionLimit:
		return "connection limit"
	case Denied:
		return "permission denied"
	}
	return "unknown"
}

// refusal is a code as an error, with what the client is told. Why is for the log.
type refusal struct {
	Code
	told, why string
}

func (r refusal) Error() string { return r.told + ": " + r.why }

func refuse(c Code, why string) error { return refusal{c, c.String(), why} }
