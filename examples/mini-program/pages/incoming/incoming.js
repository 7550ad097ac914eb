const { Ringline, watch, whyNot } = require("../../session.js");

// Shows every call that rings here, and goes when none does any more.
Page({
  data: { calls: [] },

  onShow() {
    this.stop = watch(({ calls }) => {
      const ringing = calls.filter((c) => c.incoming && c.rings);
      this.setData({ calls: ringing });
      if (ringing.length === 0) this.close();
    });
  },

  onHide() {
    this.stop();
  },

  onUnload() {
    this.stop();
  },

  accept({ currentTarget }) {
    return Ringline.accept(currentTarget.dataset.id).catch(whyNot);
  },

  decline({ currentTarget }) {
    return Ringline.decline(currentTarget.dataset.id).catch(whyNot);
  },

  /** Runs once: a watcher that is notified before it can be removed is notified twice. */
  close() {
    if (this.isClosed) return;
    this.isClosed = true;
    wx.navigateBack({ fail: () => wx.reLaunch({ url: "/pages/index/index" }) });
  },
});
