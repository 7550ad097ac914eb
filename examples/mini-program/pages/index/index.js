const { Ringline, login, logout, watch, whyNot } = require("../../session.js");

Page({
  data: { userID: "", connection: "disconnected", calls: [], events: [], name: "", callees: "", problem: "", isBusy: false },

  onShow() {
    this.stop = watch(({ userID, connection, calls, events }) => this.setData({ userID, connection, calls, events }));
  },

  onHide() {
    this.stop();
  },

  onUnload() {
    this.stop();
  },

  onName({ detail }) {
    this.setData({ name: detail.value.trim() });
  },

  onCallees({ detail }) {
    this.setData({ callees: detail.value });
  },

  async logIn() {
    if (!this.data.name || this.data.isBusy) return;
    this.setData({ isBusy: true, problem: "" });
    try {
      await login(this.data.name);
    } catch (error) {
      this.setData({ problem: error.message });
    }
    this.setData({ isBusy: false });
  },

  logOut() {
    logout();
  },

  voice() {
    return this.call(Ringline.CallType.voiceCall);
  },

  video() {
    return this.call(Ringline.CallType.videoCall);
  },

  async call(callType) {
    const ids = this.data.callees.split(/[\s,，]+/).filter(Boolean);
    if (ids.length === 0) return;
    try {
      const { errorUserList } = await Ringline.sendCallInvitation({ callees: ids.map((userID) => ({ userID })), callType });
      for (const { userID, reason } of errorUserList) wx.showToast({ title: `${userID}: ${reason}`, icon: "none" });
    } catch (error) {
      whyNot(error);
    }
  },

  cancel({ currentTarget }) {
    return Ringline.cancel(currentTarget.dataset.id).catch(whyNot);
  },

  take({ currentTarget }) {
    return Ringline.take(currentTarget.dataset.id).catch(whyNot);
  },

  leave({ currentTarget }) {
    return Ringline.leave(currentTarget.dataset.id).catch(whyNot);
  },

  open() {
    wx.navigateTo({ url: "/pages/incoming/incoming" });
  },
});
