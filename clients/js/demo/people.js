// The users' names and looks.
export const names = [
  'onIncomingCallReceived', 'onIncomingCallCanceled', 'onIncomingCallTimeout', 'onIncomingCallAcceptButtonPressed',
  'onIncomingCallDeclineButtonPressed', 'onOutgoingCallAccepted', 'onOutgoingCallRejectedCauseBusy', 'onOutgoingCallDeclined',
  'onOutgoingCallTimeout', 'onOutgoingCallCancelButtonPressed', 'onOutgoingCallRinging', 'onIncomingCallAnsweredElsewhere',
  'onIncomingCallDeclinedElsewhere', 'onParticipantJoined', 'onParticipantLeft', 'onCallStarted', 'onCallEnded',
  'onError', 'onConnectionStateChanged',
]

/** The users that a user may call with one click. */
export function others(user) {
  return ['ann', 'bob', 'eve', 'zoe'].filter((name) => name !== user)
}

/** The hue that Ringline's elements use for a user. */
export function hue(user) {
  let hash = 7
  for (const c of user) hash = (hash * 31 + c.codePointAt(0)) % 360
  return hash
}

export function face(element, user) {
  element.textContent = [...user][0]?.toUpperCase() ?? ''
  element.style.setProperty('--hue', hue(user))
}
