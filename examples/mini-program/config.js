// What is yours: where Ringline is, and how a user of your app gets a token.

const server = "http://127.0.0.1:8080"; // `ringline dev`; in production "https://calls.example.com", of which wss is made
const key = ""; // only for `ringline dev`: the key in the URL that it prints

/**
 * Asks for a token. Here `ringline dev` issues one for any name, to those who have its key. In production ask your own
 * backend: call wx.login, send it the code, and let it exchange that for the openid and mint a token (docs/tokens.md). The
 * user id must come from that login, never from the request.
 */
function token(userID) {
  return new Promise((resolve, reject) => {
    wx.request({
      url: `${server}/dev/token?key=${key}&user_id=${encodeURIComponent(userID)}&user_name=${encodeURIComponent(userID)}`,
      success: ({ statusCode, data }) =>
        statusCode === 200 ? resolve(data.token) : reject(new Error(`no token: status ${statusCode}`)),
      fail: ({ errMsg }) => reject(new Error(`no token: ${errMsg}`)),
    });
  });
}

module.exports = { appID: "demo", server, token };
