import { bkAuth, outcomeOf } from "@ostiary/sdk/blueking/express";
import express from "express";

const LOGIN = process.env.LOGIN ?? "http://localhost:4100/blueking";
const PORT = Number(process.env.PORT ?? 9004);

const auth = bkAuth(
  {
    verifyUrl: `${LOGIN}/login/api/v3/is_login/`,
    appCode: process.env.APP_CODE ?? "desk",
    appSecret: process.env.APP_SECRET ?? "desk-secret-for-the-example",
  },
  // Whoever is not signed in goes to the login page and comes back.
  { required: true, login: { loginUrl: `${LOGIN}/login/`, appCode: "desk" } },
);

const app = express();
app.get("/", auth, (request, response) => {
  const { user } = outcomeOf(request);
  response.type("text").send(`Hello, ${user.username}. Your id is ${user.bkpaasUserId}.`);
});

const server = app.listen(PORT, "127.0.0.1", () => {
  console.log(`ready at http://localhost:${server.address().port}`);
});
