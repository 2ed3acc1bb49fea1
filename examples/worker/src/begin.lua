-- Notes that a job is being sent, unless another worker has it by now.
-- KEYS: mail, mail:job:ID; ARGV: ID, worker
local mine = redis.call('XPENDING', KEYS[1], 'senders', ARGV[1], ARGV[1], 1, ARGV[2])
if #mine == 0 then return 0 end
redis.call('HSET', KEYS[2], 'begun', ARGV[2])
return 1
