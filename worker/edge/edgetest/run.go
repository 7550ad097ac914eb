package edgetest

import "testing"

// Run checks the adapter against every promise of package session. Each promise has its own subtest.
func Run(t *testing.T, n NATS, a Adapter) {
	t.Helper()
	for _, test := range tests() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(newStage(t, n, a, test.limits))
		})
	}
}

type test struct {
	name   string
	limits Limits
	run    func(*stage)
}

func tests() []test {
	return []test{
		{"TokensThatAreRefused", Limits{}, tokensThatAreRefused},
		{"Devices", Limits{}, devices},
		{"RevokedOnItsWay", Limits{}, revokedOnItsWay},
		{"ExpiredOnItsWay", Limits{}, expiredOnItsWay},
		{"RefreshThatIsRefused", Limits{}, refreshThatIsRefused},

		{"SnapshotIsWhole", Limits{}, snapshotIsWhole},
		{"SnapshotHidesWhatIsOthers", Limits{}, snapshotHidesWhatIsOthers},
		{"SnapshotOfWhatIsShown", Limits{}, snapshotOfWhatIsShown},
		{"ConnectDataThatIsRefused", Limits{}, connectDataThatIsRefused},

		{"PushesInOrder", Limits{}, pushesInOrder},
		{"NothingIsLostWhileItOpens", Limits{}, nothingIsLostWhileItOpens},
		{"ComesBack", Limits{}, comesBack},
		{"NewSessionOfADevice", Limits{SessionsPerUser: 2}, newSessionOfADevice},
		{"PushesAreOfOneUserOfOneApp", Limits{}, pushesAreOfOneUserOfOneApp},

		{"EveryVerb", Limits{}, everyVerb},
		{"TakenElsewhere", Limits{}, takenElsewhere},
		{"TimesOut", Limits{}, timesOut},
		{"AnswersThatRefuse", Limits{}, answersThatRefuse},
		{"NameOfTheToken", Limits{}, nameOfTheToken},
		{"Reads", Limits{}, reads},
		{"AwayAndBack", Limits{}, awayAndBack},

		{"EightUnderWay", Limits{}, eightUnderWay},
		{"CommandsOfASession", Limits{Commands: 5}, commandsOfASession},
		{"CommandsOfAUser", Limits{UserCommands: 6}, commandsOfAUser},
		{"InvitationsOfACaller", Limits{Invitations: 2}, invitationsOfACaller},
		{"UnknownCallsOfAUser", Limits{Invitations: 2}, unknownCallsOfAUser},
		{"TooManyRefused", Limits{Commands: 1}, tooManyRefused},
		{"SessionsOfAUser", Limits{SessionsPerUser: 2}, sessionsOfAUser},
		{"SessionsOfAnAddress", Limits{SessionsPerAddress: 2}, sessionsOfAnAddress},
		{"TooBigAMessage", Limits{MessageSize: 2048}, tooBigAMessage},

		{"ManyAtOnce", Limits{Queue: manyBytes}, manyAtOnce},
		{"SlowClient", Limits{Queue: 32 << 10}, slowClient},
		{"SessionsArePublished", Limits{}, sessionsArePublished},
		{"StopNotifiesEveryone", Limits{}, stopNotifiesEveryone},
		{"StopsWithASilentPeer", Limits{}, stopsWithASilentPeer},
	}
}
