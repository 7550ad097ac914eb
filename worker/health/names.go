package health

// Name is the name of a condition.
type Name string

// The conditions that a process needs.
const (
	NATS          Name = "nats"          // every connection is up
	Cluster       Name = "cluster"       // all connections reach the same streams
	Subscriptions Name = "subscriptions" // NATS allows every subscription
	Setup         Name = "setup"         // streams and consumers are as setup made them; without them an edge is only degraded
	Coordinator   Name = "coordinator"   // commands are consumed
	Timeouts      Name = "timeouts"      // deadlines are consumed
	API           Name = "api"           // requests are received
	Apps          Name = "apps"          // the settings of apps are loaded
	Edge          Name = "edge"          // notifications are received
)

// The conditions that degrade a process.
const (
	Broker  Name = "broker"  // JetStream does not answer, for example without a quorum
	Storage Name = "storage" // storage is nearly full
	Clock   Name = "clock"   // the clock of this machine is wrong
)

// Names lists every name.
func Names() []Name {
	return []Name{NATS, Cluster, Subscriptions, Setup, Coordinator, Timeouts, API, Apps, Edge, Broker, Storage, Clock}
}
