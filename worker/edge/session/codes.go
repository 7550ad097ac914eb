package session

// Code is the reason why a client is refused or its connection ended. The numbers up to 3999 are those of centrifuge. A
// code below 200 is the error of a command. After a code from 3000 or from 4000 every centrifuge SDK reconnects by
// itself. After one from 3500 or from 4500 none does, so these are only for what reconnecting can't repair.
type Code uint32

// The codes. centrifuge sends some of them by itself.
const (
	Unavailable     Code = 100  // the client retries
	Expired         Code = 109  // the client gets a new token and retries
	Shutdown        Code = 3001 // this edge stops, or has lost NATS
	SessionExpired  Code = 3005 // the token expired, and the client sent no new one
	Slow            Code = 3008 // the client did not read its messages
	Silent          Code = 3012 // the client did not answer pings
	TooManyRequests Code = 3013 // the client kept sending commands above its limits
	InvalidToken    Code = 3500 // missing, invalid or revoked
	BadRequest      Code = 3501 // malformed message or connect data
	ForceDisconnect Code = 3503 // all sessions of the user were ended
	Denied          Code = 3507 // the device is not the token's, or the origin is not the app's
	TooManySessions Code = 4004 // too many sessions of the user
	Replaced        Code = 4501 // the device has opened a newer session
)

// Codes lists every code.
func Codes() []Code {
	return []Code{
		Unavailable, Expired, Shutdown, SessionExpired, Slow, Silent, TooManyRequests, InvalidToken, BadRequest, ForceDisconnect, Denied,
		TooManySessions, Replaced,
	}
}

// String returns the reason that a client gets with the number, in centrifuge's words.
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
	case Denied:
		return "permission denied"
	case TooManySessions:
		return "too many sessions"
	case Replaced:
		return "replaced"
	}
	return "unknown"
}

// refusal is a code as an error, with the text for the client (message) and the reason for the log (why).
type refusal struct {
	Code
	message, why string
}

func (r refusal) Error() string { return r.message + ": " + r.why }

func refuse(c Code, why string) error { return refusal{c, c.String(), why} }
