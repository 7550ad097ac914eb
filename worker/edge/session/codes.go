package session

// Code is the reason why a client is refused or its connection ended. The numbers are those of centrifuge. A code below
// 200 is the error of a command. With a code from 3000 the client reconnects by itself, from 3500 it does not.
type Code uint32

// The codes. centrifuge sends some of them by itself.
const (
	Unavailable     Code = 100  // the client retries
	Expired         Code = 109  // the client gets a new token and retries
	Shutdown        Code = 3001 // this edge stops
	SessionExpired  Code = 3005 // the token expired, and the client sent no new one
	Slow            Code = 3008 // the client did not read its messages
	Silent          Code = 3012 // the client did not answer pings
	TooManyRequests Code = 3013 // the client kept sending commands above its limits
	InvalidToken    Code = 3500 // missing, invalid or revoked
	BadRequest      Code = 3501 // malformed message or connect data
	ForceDisconnect Code = 3503 // all sessions of the user were ended
	ConnectionLimit Code = 3504 // too many sessions of the user
	Denied          Code = 3507 // the device is not the token's, or the origin is not the app's
)

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
	case ConnectionLimit:
		return "connection limit"
	case Denied:
		return "permission denied"
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
