/** All texts that Ringline's elements show or announce. `{name}`, `{names}` and `{seconds}` are placeholders. */
export interface UITexts {
  accept: string;
  decline: string;
  cancel: string;
  leave: string;
  /** Moves a call from another device to this one. */
  take: string;
  call: string;
  voiceCall: string;
  videoCall: string;
  /** Shown above an incoming call, and announced for it. */
  incoming: string;
  /** The other callees. */
  withOthers: string;
  seconds: string;
  /** Shown above an outgoing call. `stateCalling` and the other states appear next to each callee. */
  outgoing: string;
  stateCalling: string;
  stateRinging: string;
  stateAccepted: string;
  stateDeclined: string;
  stateBusy: string;
  stateNoAnswer: string;
  stateCanceled: string;
  stateLeft: string;
  /** Shown above an answered call. */
  active: string;
  /** The same while no other party is in it. */
  alone: string;
  /** Shown above a call that this user is in on another device, and the same while no other party is in it. */
  elsewhere: string;
  elsewhereAlone: string;
  /** Shown while a press has no answer. */
  answering: string;
  declining: string;
  canceling: string;
  taking: string;
  leaving: string;
  /** The outcome of a call, shown for some seconds. */
  missed: string;
  answeredElsewhere: string;
  declinedElsewhere: string;
  /** This device was gone for too long. */
  lost: string;
  ended: string;
  reconnecting: string;
  hearRingtone: string;
  turnOnNotifications: string;
  /** Shown after a failed press. */
  failedBusy: string;
  failedOffline: string;
  failedRate: string;
  failedFull: string;
  failedOver: string;
  failedNoSession: string;
  failed: string;
}

const en: UITexts = {
  accept: "Accept",
  decline: "Decline",
  cancel: "Cancel",
  leave: "Leave",
  take: "Continue here",
  call: "Call",
  voiceCall: "Voice call",
  videoCall: "Video call",
  incoming: "{name} is calling",
  withOthers: "with {names}",
  seconds: "{seconds} s",
  outgoing: "Calling {names}",
  stateCalling: "calling",
  stateRinging: "ringing",
  stateAccepted: "accepted",
  stateDeclined: "declined",
  stateBusy: "busy",
  stateNoAnswer: "no answer",
  stateCanceled: "canceled",
  stateLeft: "left",
  active: "In a call with {names}",
  alone: "No one else is in the call",
  elsewhere: "In a call with {names} on another device",
  elsewhereAlone: "In a call on another device",
  answering: "Answering …",
  declining: "Declining …",
  canceling: "Canceling …",
  taking: "Moving the call here …",
  leaving: "Leaving …",
  missed: "Missed call from {name}",
  answeredElsewhere: "Answered on another device",
  declinedElsewhere: "Declined on another device",
  lost: "You left the call: no connection for too long",
  ended: "Call ended",
  reconnecting: "No connection, trying again …",
  hearRingtone: "Tap to hear the ringtone",
  turnOnNotifications: "Turn on notifications",
  failedBusy: "You are in another call.",
  failedOffline: "There is no connection. Try again.",
  failedRate: "Too many calls. Wait a moment.",
  failedFull: "The service is full. Try again later.",
  failedOver: "This call is over.",
  failedNoSession: "Not signed in for calls yet.",
  failed: "That did not work: {name}",
};

const zh: UITexts = {
  accept: "接听",
  decline: "拒绝",
  cancel: "取消",
  leave: "挂断",
  take: "在此设备继续",
  call: "呼叫",
  voiceCall: "语音通话",
  videoCall: "视频通话",
  incoming: "{name} 来电",
  withOthers: "同时邀请 {names}",
  seconds: "{seconds} 秒",
  outgoing: "正在呼叫 {names}",
  stateCalling: "呼叫中",
  stateRinging: "响铃中",
  stateAccepted: "已接听",
  stateDeclined: "已拒绝",
  stateBusy: "忙线中",
  stateNoAnswer: "无人接听",
  stateCanceled: "已取消",
  stateLeft: "已离开",
  active: "与 {names} 通话中",
  alone: "通话中没有其他人",
  elsewhere: "正在其他设备上与 {names} 通话",
  elsewhereAlone: "正在其他设备上通话",
  answering: "正在接听…",
  declining: "正在拒绝…",
  canceling: "正在取消…",
  taking: "正在转移通话…",
  leaving: "正在挂断…",
  missed: "{name} 的未接来电",
  answeredElsewhere: "已在其他设备接听",
  declinedElsewhere: "已在其他设备拒绝",
  lost: "连接中断过久，您已退出通话",
  ended: "通话已结束",
  reconnecting: "连接已断开，正在重连…",
  hearRingtone: "轻触以播放铃声",
  turnOnNotifications: "开启通知",
  failedBusy: "您正在通话中。",
  failedOffline: "没有网络连接，请重试。",
  failedRate: "呼叫过于频繁，请稍候。",
  failedFull: "服务繁忙，请稍后再试。",
  failedOver: "通话已结束。",
  failedNoSession: "尚未登录通话服务。",
  failed: "操作失败：{name}",
};

/** The texts of a language tag, overridden by an app's own. Unknown languages get English. */
export function textsOf(language: string, own: Partial<UITexts> = {}): UITexts {
  return { ...(/^zh\b/i.test(language) ? zh : en), ...own };
}

export function fill(text: string, values: { name?: string; names?: string; seconds?: number }): string {
  return text.replace(/\{(name|names|seconds)\}/g, (whole, key: "name" | "names" | "seconds") => String(values[key] ?? whole));
}

/** A list in the format of the language. */
export function listed(language: string, names: readonly string[]): string {
  try {
    return new Intl.ListFormat(language || "en", { type: "conjunction", style: "long" }).format(names);
  } catch {
    return names.join(", "); // not a valid language tag
  }
}
