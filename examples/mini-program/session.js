// The one session of this app, outside of its pages: pages come and go, and calls stay. A page calls watch() when it is shown
// and what that returns when it is hidden.

const { Ringline } = require("./lib/ringline.mini.js");
const config = require("./config.js");

const state = { userID: "", connection: "disconnected", calls: [], events: [] };
const watchers = new Set();
let tick;

// Ringline reports every change of the calls. The timer below only counts the seconds down.
Ringline.subscribe(changed);

function changed() {
  state.calls = Ringline.getCalls().map(shown);
  for (const watcher of Array.from(watchers)) watcher(state);
  const rings = state.calls.some((c) => c.seconds > 0);
  if (rings && tick === undefined) tick = setInterval(changed, 1000);
  if (!rings && tick !== undefined) tick = clearInterval(tick);
}

/** What a page shows of a call. The remaining time goes by the server's clock. */
function shown(call) {
  return {
    callID: call.callID,
    incoming: call.direction === "incoming",
    rings: call.phase === "ringing",
    elsewhere: call.phase === "elsewhere", // this user is in it on another device
    caller: call.caller.userName || call.caller.userID,
    kind: call.callType === Ringline.CallType.videoCall ? "video" : "voice",
    callees: call.callees.map((x) => `${x.userName || x.userID}: ${x.state}`).join(", "),
    customData: call.customData,
    seconds: Math.ceil(call.ringRemaining() / 1000),
  };
}

/** Every callback is shown as it came; each of them is one of these lines in your app. */
function show(name) {
  return (...args) => {
    const line = `${name}(${args.map((a) => JSON.stringify(a)).join(", ")})`;
    state.events = [{ id: Date.now() + Math.random(), line }].concat(state.events).slice(0, 50);
    changed();
  };
}

const callbacks = {};
for (const name of [
  "onIncomingCallCanceled",
  "onIncomingCallTimeout",
  "onIncomingCallAnsweredElsewhere",
  "onIncomingCallDeclinedElsewhere",
  "onOutgoingCallRinging",
  "onOutgoingCallAccepted",
  "onOutgoingCallDeclined",
  "onOutgoingCallRejectedCauseBusy",
  "onOutgoingCallTimeout",
  "onParticipantJoined",
  "onParticipantLeft",
  "onCallStarted", // this device is in the call now: join the media room here
  "onCallEnded", // the last of each call: leave the media room here
  "onError",
]) {
  callbacks[name] = show(name);
}

callbacks.onIncomingCallReceived = (callID, ...rest) => {
  show("onIncomingCallReceived")(callID, ...rest);
  wx.vibrateLong({ fail() {} });
  const pages = getCurrentPages();
  const top = pages[pages.length - 1];
  if (!top || top.route !== "pages/incoming/incoming") wx.navigateTo({ url: "/pages/incoming/incoming", fail() {} });
};

callbacks.onConnectionStateChanged = (connection) => {
  state.connection = connection;
  show("onConnectionStateChanged")(connection);
};

async function login(userID) {
  const token = await config.token(userID);
  state.userID = userID;
  try {
    await Ringline.init(config.appID, config.server, userID, userID, token, { getToken: () => config.token(userID) }, callbacks);
  } catch (error) {
    state.userID = "";
    throw error;
  } finally {
    changed();
  }
}

/** Calls continue without the session: leave them first. */
function logout() {
  Ringline.unInit();
  Object.assign(state, { userID: "", connection: "disconnected" });
  changed();
}

function watch(watcher) {
  watchers.add(watcher);
  changed();
  return () => watchers.delete(watcher);
}

/** Returns why a button press had no effect, as text for the user. */
function whyNot(error) {
  const words = {
    answered_elsewhere: "Answered on another device",
    call_ended: "The call is over",
    caller_busy: "You are in a call already",
    disconnected: "No connection",
    exhausted: "The service is full, try again later",
    not_pending: "Not ringing any more",
    rate_limited: "Too fast, try again",
    timeout: "No answer from the server",
    unavailable: "No answer from the server",
  };
  wx.showToast({ title: words[error.code] || error.message, icon: "none" });
}

module.exports = { Ringline, login, logout, watch, whyNot };
