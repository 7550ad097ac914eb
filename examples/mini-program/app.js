// Nothing to do here: the client itself hears of wx.onAppShow and wx.onNetworkStatusChange, and comes back.
App({});
