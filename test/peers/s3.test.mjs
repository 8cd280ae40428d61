// Objects on a real S3 server (Ceph's gateway, started by test/peers/radosgw), seen with Amazon's own client.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { GetBucketLifecycleConfigurationCommand, GetObjectCommand, GetObjectTaggingCommand, HeadObjectCommand, ListObjectsV2Command, PutBucketLifecycleConfigurationCommand, S3Client } from "@aws-sdk/client-s3";
import { BIN, Server, makeDirectory, until } from "../flow/harness.mjs";

const { COMPERE_TEST_S3_ENDPOINT: endpoint, COMPERE_TEST_S3_BUCKET: Bucket, COMPERE_TEST_S3_ACCESS_KEY: accessKeyId, COMPERE_TEST_S3_SECRET_KEY: secretAccessKey } = process.env;
const s3 = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
const prefix = `peers-${process.pid}/`;
// The keys come from the environment, by the names that every S3 tool knows.
const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
const flags = ["--store-objects", "s3", "--store-s3-endpoint", endpoint, "--store-s3-bucket", Bucket, "--store-s3-prefix", prefix, "--store-sweep-s", "1"];
const keys = async (under = prefix) => ((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: under }))).Contents ?? []).map((object) => object.Key);
const body = async (answer) => Buffer.from(await answer.Body.transformToByteArray());
const store = (args, more = {}) => spawnSync(BIN, ["store", "--data", server?.data ?? makeDirectory(), ...flags, ...args], { encoding: "utf8", env: { ...process.env, ...env, ...more } });

let server;
before(async () => {
  server = await Server.start({ flags, env });
});
after(() => server?.stop());

const make = async (spec) => {
  const made = await server.post("/v1/speech", spec);
  assert.equal(made.status, 201, JSON.stringify(made.json));
  return made.json;
};

test("what we wrote is read by Amazon's client, with type, expiry and tag", async () => {
  const speech = await make({ text: "Kept in a bucket.", ttl_s: 3600 });
  const Key = `${prefix}speech/${speech.id}.ogg`;
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  assert.equal(head.ContentType, "audio/ogg");
  assert.equal(head.ContentLength, speech.bytes);
  assert.ok(Math.abs(Number(head.Metadata["compere-expires"]) / 1e6 - Date.parse(speech.expires_at)) < 5);
  const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key }));
  assert.deepEqual(TagSet, [{ Key: "compere-days", Value: "1" }]);
  const theirs = await body(await s3.send(new GetObjectCommand({ Bucket, Key })));
  assert.equal(theirs.subarray(0, 4).toString(), "OggS");
  const ours = await fetch(server.url + speech.audio, { headers: { Authorization: `Bearer ${server.key}`, Accept: "audio/ogg" } });
  assert.ok(Buffer.from(await ours.arrayBuffer()).equals(theirs));
  const part = await fetch(server.url + speech.audio, { headers: { Authorization: `Bearer ${server.key}`, Accept: "audio/ogg", Range: "bytes=100-199" } });
  assert.equal(part.status, 206);
  assert.ok(Buffer.from(await part.arrayBuffer()).equals(theirs.subarray(100, 200)));
});

test("a signed address of the bucket is fetched by anybody, a bare or forged one by nobody", async () => {
  const speech = await make({ text: "For whoever has the address." });
  const { url } = (await server.post(`/v1/speech/${speech.id}/url`, { direct: true, expires_s: 60 })).json;
  assert.ok(url.startsWith(`${endpoint}/${Bucket}/`));
  const open = await fetch(url);
  assert.equal(open.status, 200);
  assert.equal((await open.arrayBuffer()).byteLength, speech.bytes);
  for (const closed of [url.split("?")[0], url.slice(0, -1) + (url.endsWith("0") ? "1" : "0"), url.replace("Expires=60", "Expires=600")]) assert.equal((await fetch(closed)).status, 403, closed);
  const ours = (await server.post(`/v1/speech/${speech.id}/url`, { format: "mp3" })).json;
  assert.equal((await fetch(server.url + ours.url)).headers.get("content-type"), "audio/mpeg");
});

test("a channel's recording lies in the bucket second by second, with its expiry, and comes back as one file", async () => {
  const { id } = (await server.post("/v1/recordings", { channel: "main", keep_s: 7200 })).json;
  await until(async () => (await server.get(`/v1/recordings/${id}`)).json.duration_s > 4, { ms: 20_000, what: "four seconds" });
  const { json } = await server.post(`/v1/recordings/${id}/stop`, {});
  assert.equal(json.lost_s, 0);
  const found = await keys(`${prefix}recordings/${id}/`);
  assert.ok(found.length >= 5, `${found}`);
  const { Metadata } = await s3.send(new HeadObjectCommand({ Bucket, Key: found[0] }));
  assert.ok(Math.abs(Number(Metadata["compere-expires"]) / 1e6 - Date.parse(json.expires_at)) < 5);
  const { bytes } = await server.get(`/v1/recordings/${id}/video.mp4`);
  const probe = spawnSync("ffprobe", ["-v", "warning", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", "-"], { input: bytes });
  assert.equal(probe.stderr.toString(), "");
  const last = Number(probe.stdout.toString().trim().split("\n").at(-1));
  assert.ok(Math.abs(last + 1 / 30 - json.duration_s) < 0.1, `${last} of ${json.duration_s} s`);
  assert.equal((await server.call("DELETE", `/v1/recordings/${id}`)).status, 204);
  await until(async () => !(await keys(`${prefix}recordings/${id}/`)).length, { what: "an empty folder" });
});

test("a delete and an expiry leave nothing in the bucket", async () => {
  const gone = await make({ text: "Deleted." });
  assert.equal((await keys(`${prefix}speech/${gone.id}`)).length, 2);
  assert.equal((await server.call("DELETE", `/v1/speech/${gone.id}`)).status, 204);
  assert.deepEqual(await keys(`${prefix}speech/${gone.id}`), []);
  const brief = await make({ text: "Brief.", ttl_s: 2 });
  await until(async () => (await server.get(`/v1/speech/${brief.id}`)).status === 404, { ms: 5000, what: "the expiry" });
  await until(async () => !(await keys(`${prefix}speech/${brief.id}`)).length, { ms: 10_000, what: "the removal" });
});

test("a wrong secret, bucket or address is refused with a clear text", () => {
  const wrong = store(["check"], { AWS_SECRET_ACCESS_KEY: "wrong" });
  assert.equal(wrong.status, 1);
  assert.match(wrong.stdout, /PROBLEM\s+write .*the secret key is not the one of this access key/);
  assert.ok(!(wrong.stdout + wrong.stderr).includes("wrong\n"));
  assert.match(store(["check"], { AWS_ACCESS_KEY_ID: "NOBODY" }).stdout, /does not know this access key/);
  const none = store(["check"], { AWS_ACCESS_KEY_ID: undefined });
  assert.match(none.stderr, /store.s3_access_key: the variable AWS_ACCESS_KEY_ID is not set/);
  assert.match(store(["check", "--store-s3-bucket", "nowhere"]).stdout, /no such bucket/);
});

test("the check says what works", () => {
  const good = store(["check"]);
  assert.equal(good.status, 0, good.stdout + good.stderr);
  assert.match(good.stdout, /ok\s+signed URLs\s+a signed URL answers 200/);
  assert.match(good.stdout, /ok\s+privacy\s+without a signature the answer is 403/);
});

test("the bucket's own rules expire what nobody sweeps, and spare the rules of others", async () => {
  const others = { ID: "theirs", Status: "Enabled", Filter: { Prefix: "logs/" }, Expiration: { Days: 500 } };
  await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [others] } }));
  const speech = await make({ text: "Expired by the bucket.", ttl_s: 3600 });
  const lasting = await make({ text: "Kept for two months.", ttl_s: 60 * 86400 });
  await server.stop(); // nobody sweeps
  for (let i = 0; i < 2; i++) {
    const set = store(["lifecycle"]); // twice gives the same
    assert.equal(set.status, 0, set.stdout + set.stderr);
    assert.match(set.stdout, /11 rules are set/);
  }
  const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
  assert.equal(Rules.length, 12);
  assert.equal(Rules.find((rule) => rule.ID === "theirs").Expiration.Days, 500);
  // A day of this server's rules lasts ten seconds.
  await until(async () => !(await keys(`${prefix}speech/${speech.id}`)).length, { ms: 90_000, every: 1000, what: "the bucket's expiry" });
  assert.equal((await keys(`${prefix}speech/${lasting.id}`)).length, 2);
});
