// Package lost measures how long parties stay in calls after their devices are gone, whether a party is dropped whose
// device is there, and what watching costs. The users call each other over NATS as their sessions would; the sessions are
// real.
package lost
