// Nothing to do here: the client subscribes to wx.onAppShow and wx.onNetworkStatusChange, and reconnects.
App({});
